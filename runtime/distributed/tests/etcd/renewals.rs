//! A renewal that is answered by a member of which it is not certain that it was the leader.

use std::time::Duration;

use etcd_client::Client;
use tokio::time::{Instant, sleep_until};

use crate::store;
use crate::support::etcd::{Etcd, url};
use crate::support::proxy::{Mode, Proxy};

const LEASE: Duration = Duration::from_secs(10);

/// What each of the four messages of a renewal waits for, there and back.
const SLOW: Duration = Duration::from_millis(150);

/// The leader, and the id of another member.
async fn leader(cluster: &Etcd) -> (Client, u64) {
    let leader = cluster.leader().expect("there is one");
    let mut ids = Vec::new();
    for endpoint in cluster.endpoints() {
        let mut client = Client::connect([endpoint], None).await.unwrap();
        let status = client.status().await.unwrap();
        ids.push(status.header().unwrap().member_id());
    }
    let client = Client::connect([url(cluster.ports[leader])], None).await;
    (client.unwrap(), ids[(leader + 1) % 3])
}

/// Whether a renewal counts in the middle of which the leader changes, or does not.
async fn counts(cluster: &Etcd, moves: bool) -> bool {
    let (mut leader, other) = leader(cluster).await;
    let proxy = Proxy::start(cluster.ports[0]);
    let store = store(&[url(proxy.port)], "t/", LEASE).await;
    // The lease has just been opened.
    let start = Instant::now();
    let lock = store.lock(if moves { "moves" } else { "stays" });
    let guard = lock.acquire().await.unwrap();
    let lost = tokio::spawn(guard.lost());
    proxy.set(Mode::Slow(SLOW));
    let renewal = start + LEASE / 3;
    if moves {
        // It has looked at the term, and will once more, when it has been renewed.
        sleep_until(renewal + 4 * SLOW).await;
        leader.move_leader(other).await.unwrap();
    }
    // It has ended, and another would take as long.
    sleep_until(renewal + 15 * SLOW).await;
    proxy.set(Mode::Stall);
    // The lease that was opened is not vouched for any more; one that was renewed is.
    sleep_until(start + LEASE + LEASE / 10).await;
    !lost.is_finished()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_does_not_count_if_the_term_has_changed_meanwhile() {
    let Some(cluster) = Etcd::start(3) else {
        return;
    };
    assert!(counts(&cluster, false).await, "without a change, it counts");
    assert!(!counts(&cluster, true).await, "there may be another leader");
}
