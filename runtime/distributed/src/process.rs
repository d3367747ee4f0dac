//! What this process is called, and its locks.

/// The name of this machine.
pub(crate) fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    let name = name.or_else(|_| std::env::var("HOSTNAME"));
    name.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

/// What reports call a process.
pub(crate) fn process(host: &str, pid: u32) -> String {
    format!("{host} pid {pid}")
}

/// The number of a key in a store: the same in every process, so that all acquire in the same
/// order.
pub(crate) fn id(store: &str, key: &str) -> u64 {
    // FNV-1a.
    let bytes = store.bytes().chain([0]).chain(key.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
