//! The report, as it is read. What a newer version has added is left out.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    #[serde(default)]
    pub(crate) waits: Vec<Wait>,
    #[serde(default)]
    pub(crate) held: Vec<Held>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Wait {
    pub(crate) resource: String,
    pub(crate) name: String,
    pub(crate) instance: Option<String>,
    pub(crate) id: String,
    pub(crate) mode: Value,
    pub(crate) place: Place,
    pub(crate) section: Option<Section>,
    pub(crate) since_ms: u64,
    #[serde(default)]
    pub(crate) granted: bool,
    #[serde(default)]
    pub(crate) has_condition_false: bool,
    pub(crate) last_acquired: Option<Place>,
    pub(crate) last_section: Option<Section>,
    pub(crate) last_holder: Option<String>,
    #[serde(default)]
    pub(crate) holding: Vec<Held>,
    pub(crate) behind: Option<Behind>,
    pub(crate) circle: Option<usize>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Held {
    pub(crate) lock: String,
    pub(crate) instance: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) mode: Value,
    pub(crate) place: Place,
    pub(crate) section: Option<Section>,
    #[serde(default)]
    pub(crate) since_ms: u64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Behind {
    pub(crate) mode: Value,
    pub(crate) place: Place,
    pub(crate) section: Option<Section>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) condition: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Report {
    pub(crate) fn read(report: Value) -> serde_json::Result<Self> {
        serde_json::from_value(report)
    }
}
