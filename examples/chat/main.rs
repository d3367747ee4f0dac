//! A chat in one process: rooms, members, a history, an archive. Its state is written three
//! times, with the same interface:
//!
//! - `by_hand`: over the locks of tokio, each locked by hand,
//! - `sections`: over the same locks, with the macros of async-monitor,
//! - `ours`: over the locks of async-monitor.
//!
//! `diff` shows the changes from each version to the next. The guide's page about migration has the
//! number of lines.
//!
//! ```sh
//! cargo run --example chat
//! ```

mod by_hand;
mod ours;
mod sections;
mod state;

/// A conversation, printed.
macro_rules! converse {
    ($form:ident) => {{
        let chat = $form::Chat::default();
        let room = chat.room("lobby").await;
        let meeting = {
            let room = std::sync::Arc::clone(&room);
            tokio::spawn(async move { room.meeting(2).await })
        };
        let mut inbox = room.join("ann").await.expect("a free name");
        let _inbox_of_bob = room.join("bob").await.expect("a free name");
        println!("{}: met: {:?}", stringify!($form), meeting.await?);
        chat.say("lobby", "bob", "hello").await?;
        if let Some(message) = inbox.recv().await {
            println!(
                "{}: ann reads: {}: {}",
                stringify!($form),
                message.from,
                message.text
            );
        }
        let garden = chat.room("garden").await;
        chat.switch("ann", &room, &garden).await;
        println!(
            "{}: garden: {:?}",
            stringify!($form),
            garden.members().await
        );
        room.leave("bob").await;
        let said = room.history(10).await.len();
        println!("{}: lobby: {said} message, then empty", stringify!($form));
        println!("{}: rooms: {}", stringify!($form), chat.close_empty().await);
        let totals = chat.totals().await;
        println!(
            "{}: {} said, {} dropped",
            stringify!($form),
            totals.messages,
            totals.dropped
        );
        print!("{}: archive: {}", stringify!($form), chat.archived().await);
    }};
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    converse!(by_hand);
    converse!(sections);
    converse!(ours);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::timeout;

    use crate::state::{Message, Totals};

    fn message(from: &str, text: &str) -> Message {
        Message {
            from: from.to_owned(),
            text: text.to_owned(),
        }
    }

    macro_rules! tests {
        ($form:ident) => {
            mod $form {
                use super::*;
                use crate::$form::Chat;

                #[tokio::test]
                async fn members_get_what_is_said() {
                    let chat = Chat::default();
                    let room = chat.room("a").await;
                    let mut ann = room.join("ann").await.unwrap();
                    assert!(room.join("ann").await.is_none());
                    chat.say("a", "bob", "one").await.unwrap();
                    let mut eve = room.join("eve").await.unwrap();
                    chat.say("a", "bob", "two").await.unwrap();
                    assert_eq!(ann.recv().await, Some(message("bob", "one")));
                    assert_eq!(ann.recv().await, Some(message("bob", "two")));
                    assert_eq!(eve.recv().await, Some(message("bob", "two")));
                    assert_eq!(room.history(1).await, [message("bob", "two")]);
                    assert_eq!(room.history(9).await.len(), 2);
                    assert!(room.leave("ann").await && !room.leave("ann").await);
                    assert_eq!(ann.recv().await, None);
                    assert_eq!(room.members().await, ["eve"]);
                    assert_eq!(chat.archived().await, "a: bob: one\na: bob: two\n");
                }

                #[tokio::test]
                async fn who_is_too_far_behind_is_dropped() {
                    let chat = Chat::default();
                    let room = chat.room("a").await;
                    let _inbox = room.join("ann").await.unwrap();
                    for _ in 0..200 {
                        chat.say("a", "bob", "hello").await.unwrap();
                    }
                    assert!(room.members().await.is_empty());
                    assert_eq!(room.history(1_000).await.len(), 100);
                    let (messages, dropped) = (200, 1);
                    assert_eq!(chat.totals().await, Totals { messages, dropped });
                }

                #[tokio::test]
                async fn a_meeting_begins_when_all_are_there() {
                    let chat = Chat::default();
                    let (hall, lobby) = (chat.room("hall").await, chat.room("lobby").await);
                    let _ann = hall.join("ann").await.unwrap();
                    let _bob = lobby.join("bob").await.unwrap();
                    let soon = Duration::from_millis(10);
                    assert!(timeout(soon, hall.meeting(2)).await.is_err());
                    let meeting = {
                        let hall = Arc::clone(&hall);
                        tokio::spawn(async move { hall.meeting(2).await })
                    };
                    tokio::task::yield_now().await;
                    assert!(chat.switch("bob", &lobby, &hall).await);
                    assert!(!chat.switch("bob", &lobby, &hall).await);
                    assert!(!chat.switch("bob", &hall, &hall).await);
                    assert_eq!(meeting.await.unwrap(), ["ann", "bob"]);
                    assert_eq!(chat.close_empty().await, 1);
                }

                /// Members go back and forth, while others talk, count and close rooms.
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn a_crowd() {
                    let chat = Arc::new(Chat::default());
                    let (a, b) = (chat.room("a").await, chat.room("b").await);
                    let mut tasks = Vec::new();
                    for number in 0..8 {
                        let (chat, a, b) = (Arc::clone(&chat), Arc::clone(&a), Arc::clone(&b));
                        tasks.push(tokio::spawn(async move {
                            let name = number.to_string();
                            let (mut from, mut to) = if number % 2 == 0 { (a, b) } else { (b, a) };
                            let mut inbox = from.join(&name).await.unwrap();
                            for _ in 0..100 {
                                assert!(chat.switch(&name, &from, &to).await);
                                std::mem::swap(&mut from, &mut to);
                                chat.say("c", &name, "hello").await.unwrap();
                                chat.close_empty().await;
                            }
                            assert!(inbox.try_recv().is_err());
                            assert!(from.leave(&name).await);
                        }));
                    }
                    for task in tasks {
                        timeout(Duration::from_secs(60), task)
                            .await
                            .unwrap()
                            .unwrap();
                    }
                    assert_eq!(chat.totals().await.messages, 800);
                    assert!(a.members().await.is_empty() && b.members().await.is_empty());
                    assert_eq!(chat.archived().await.lines().count(), 800);
                }
            }
        };
    }

    tests!(by_hand);
    tests!(sections);
    tests!(ours);
}
