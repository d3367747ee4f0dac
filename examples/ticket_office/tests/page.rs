//! The page in a browser, driven by WebDriver: Debian's packages `chromium` and
//! `chromium-driver`.

use std::env;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::{SETUP, Served};
use crate::client::Client;
use crate::office::Setup;

/// How long the browser may take for anything.
const AT_MOST: Duration = Duration::from_secs(60);

/// A window of a browser.
struct Browser {
    driver: SocketAddr,
    session: String,
    _process: Child,
    _profile: TempDir,
}

impl Browser {
    /// None where there is no browser.
    async fn open(width: u32) -> Option<Self> {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let port = loop {
            let line = timeout(AT_MOST, lines.next_line()).await;
            let line = line.expect("it starts").expect("it prints text");
            let line = line.expect("it says its port");
            if let Some(port) = line
                .strip_suffix('.')
                .and_then(|line| line.split("on port ").nth(1))
            {
                break port.parse::<u16>().expect("a port");
            }
        };
        // It goes on printing.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });

        let profile = TempDir::new().expect("a folder");
        let arguments = [
            "--headless".into(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            format!("--user-data-dir={}", profile.path().display()),
            format!("--window-size={width},900"),
        ];
        let mut browser = Browser {
            driver: ([127, 0, 0, 1], port).into(),
            session: String::new(),
            _process: process,
            _profile: profile,
        };
        let answer = browser
            .command(
                Method::POST,
                "/session",
                &json!({"capabilities": {"alwaysMatch": {
                    "browserName": "chrome",
                    "goog:chromeOptions": {"args": arguments},
                }}}),
            )
            .await;
        let session = answer["sessionId"].as_str().expect("a session");
        browser.session = format!("/session/{session}");
        Some(browser)
    }

    /// Panics where the driver refuses.
    async fn command(&self, method: Method, path: &str, body: &Value) -> Value {
        let path = format!("{}{path}", self.session);
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let asked = async {
            let mut client = Client::connect(self.driver).await?;
            client.ask(method, &path, &body).await
        };
        let answer = timeout(AT_MOST, asked).await.expect("it answers in time");
        let answer = answer.expect("it answers");
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        answer.body["value"].clone()
    }

    async fn go_to(&self, url: &str) {
        self.command(Method::POST, "/url", &json!({ "url": url }))
            .await;
    }

    /// What the script returns.
    async fn run(&self, script: &str) -> Value {
        let body = json!({"script": script, "args": []});
        self.command(Method::POST, "/execute/sync", &body).await
    }

    /// Waits until the script returns `true`.
    async fn wait_for(&self, script: &str) {
        let holds = async {
            while self.run(script).await != Value::Bool(true) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(AT_MOST, holds).await.is_err() {
            let page = self.run("return document.body.innerText").await;
            panic!("never true: {script}\n{page}");
        }
    }

    /// Presses keys, one after the other.
    async fn press(&self, keys: &[&str]) {
        let actions: Vec<Value> = (keys.iter())
            .flat_map(|key| {
                [
                    json!({"type": "keyDown", "value": key}),
                    json!({"type": "keyUp", "value": key}),
                ]
            })
            .collect();
        let body = json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]});
        self.command(Method::POST, "/actions", &body).await;
    }

    /// Keeps a picture of the window, where somebody wants to look at it.
    async fn keep_picture(&self, name: &str) {
        if let Some(folder) = env::var_os("TICKET_OFFICE_PICTURES") {
            let picture = self.command(Method::GET, "/screenshot", &Value::Null).await;
            let picture = picture.as_str().expect("base64").to_owned();
            std::fs::write(std::path::Path::new(&folder).join(name), picture)
                .expect("it is written");
        }
    }

    async fn close(self) {
        self.command(Method::DELETE, "", &Value::Null).await;
    }
}

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const RIGHT: &str = "\u{e014}";

/// With the keys alone, on a screen of that width.
async fn buy_a_seat(width: u32) {
    let Some(browser) = Browser::open(width).await else {
        assert!(env::var_os("CI").is_none(), "install chromium-driver");
        eprintln!("skipped: there is no chromedriver (Debian's chromium-driver)");
        return;
    };
    let served = Served::new(Setup { seats: 40, ..SETUP }).await;
    let mut other = served.client().await;
    let answer = other.post("/orders", r#"{"seat": 5}"#).await;
    assert!(answer.is_ok_and(|answer| answer.status.is_success()));

    browser.go_to(&format!("http://{}/", served.address)).await;
    browser
        .wait_for("return document.querySelectorAll('.seat').length === 40")
        .await;
    let label = browser
        .run("return document.querySelectorAll('.seat')[5].ariaLabel")
        .await;
    assert_eq!(label, "Seat 6: held");
    // What the page does not let through may not be pushed aside either.
    browser
        .wait_for("return document.documentElement.scrollWidth <= window.innerWidth")
        .await;

    // The bank declines some: until one is paid.
    browser.press(&[TAB]).await;
    loop {
        browser.press(&[RIGHT, ENTER]).await;
        browser
            .wait_for("return document.querySelectorAll('.seat.mine').length === 1")
            .await;
        browser
            .keep_picture(&format!("held-{width}.png.base64"))
            .await;
        browser
            .run("document.querySelector('#orders button').focus()")
            .await;
        browser.press(&[ENTER]).await;
        browser
            .wait_for(
                "return !/held|asked|yours for/.test(document.querySelector('#orders').innerText)",
            )
            .await;
        let paid = browser
            .run("return document.querySelector('#orders').innerText.includes('paid')")
            .await;
        if paid == Value::Bool(true) {
            break;
        }
        browser
            .run("document.querySelector('.seat[tabindex=\"0\"]').focus()")
            .await;
    }
    assert_eq!(served.office.hall.audit().sold, 1);
    browser
        .wait_for("return document.querySelector('#counts').innerText.includes('Seats sold\\n1')")
        .await;
    browser
        .wait_for("return /^1 seats sold/.test(document.querySelector('#sales').ariaLabel)")
        .await;

    // Somebody else waits.
    let hall = std::sync::Arc::clone(&served.office.hall);
    let place = hall.join();
    browser
        .wait_for("return document.querySelectorAll('#waiting li').length === 1")
        .await;
    browser
        .keep_picture(&format!("sold-{width}.png.base64"))
        .await;
    drop(place);
    browser
        .wait_for("return !document.querySelector('#nobody').hidden")
        .await;

    browser.close().await;
    served.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_is_bought_with_the_keys() {
    buy_a_seat(1200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seat_is_bought_on_a_phone() {
    buy_a_seat(500).await; // no window is narrower
}

/// A crowd, with the page open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_keeps_up_with_a_crowd() {
    let Some(browser) = Browser::open(1200).await else {
        eprintln!("skipped: there is no chromedriver (Debian's chromium-driver)");
        return;
    };
    let setup = Setup {
        seats: 200,
        hold_time: Duration::from_secs(2),
        cashiers: 16,
        latency: Duration::from_millis(20),
        patience: Duration::from_millis(80),
        ..SETUP
    };
    let served = Served::new(setup).await;
    browser.go_to(&format!("http://{}/", served.address)).await;
    let load = crate::load::run(&served.office, served.address, 250, Duration::from_secs(1));
    let look = async {
        browser
            .wait_for("return document.querySelectorAll('[data-state=s]').length > 20")
            .await;
        browser.keep_picture("crowd.png.base64").await;
    };
    let (summary, ()) = tokio::join!(load, look);
    assert!(summary.faults.is_empty(), "{summary}");
    let sold = served.office.hall.audit().sold;
    browser
        .wait_for(&format!(
            "return document.querySelectorAll('[data-state=s]').length === {sold}"
        ))
        .await;
    browser.close().await;
    served.close().await;
}
