//! What tools ask about the server and tell it of themselves: as much as
//! `redis-cli` and `redis-benchmark` need.

use super::{Refused, integer, shown};
use crate::protocol::Replies;

/// What CONFIG GET knows: that nothing is ever written to a disk.
const CONFIGURATION: [(&str, &str); 2] = [("appendonly", "no"), ("save", "")];

/// HELLO [2 [SETNAME name]]
pub fn hello(id: u64, options: &[&[u8]], replies: &mut Replies) -> Result<(), Refused> {
    if let [version, options @ ..] = options {
        let version = integer(version)
            .map_err(|_| "ERR Protocol version is not an integer or out of range")?;
        if version != 2 {
            return Err("NOPROTO unsupported protocol version".into());
        }
        match options {
            [] => {}
            [name, _] if name.eq_ignore_ascii_case(b"setname") => {}
            [option, ..] => {
                let option = shown(option);
                return Err(format!("ERR Syntax error in HELLO option '{option}'"));
            }
        }
    }
    replies.array(8);
    for (key, value) in [
        ("server", "keyspace"),
        ("version", env!("CARGO_PKG_VERSION")),
    ] {
        replies.bulk(key);
        replies.bulk(value);
    }
    replies.bulk("proto");
    replies.integer(2);
    replies.bulk("id");
    replies.integer(id.try_into().unwrap_or(i64::MAX));
    Ok(())
}

/// CLIENT SETNAME, SETINFO, GETNAME, ID: names are accepted and forgotten.
pub fn client(
    id: u64,
    subcommand: &[u8],
    arguments: &[&[u8]],
    replies: &mut Replies,
) -> Result<(), Refused> {
    match (subcommand.to_ascii_lowercase().as_slice(), arguments) {
        (b"setname", [_]) | (b"setinfo", [_, _]) => replies.simple("OK"),
        (b"getname", []) => replies.nil(),
        (b"id", []) => replies.integer(id.try_into().unwrap_or(i64::MAX)),
        (b"setname" | b"setinfo" | b"getname" | b"id", _) => {
            let subcommand = String::from_utf8_lossy(subcommand).to_lowercase();
            return Err(format!(
                "ERR wrong number of arguments for 'client|{subcommand}' command"
            ));
        }
        _ => return Err(unknown("CLIENT", subcommand)),
    }
    Ok(())
}

/// COMMAND, with whatever arguments: there is nothing to know.
pub fn command(replies: &mut Replies) {
    replies.array(0);
}

/// CONFIG GET name..; as in Redis, what is not known is left out.
pub fn config(subcommand: &[u8], names: &[&[u8]], replies: &mut Replies) -> Result<(), Refused> {
    if !subcommand.eq_ignore_ascii_case(b"get") {
        return Err(unknown("CONFIG", subcommand));
    }
    if names.is_empty() {
        return Err("ERR wrong number of arguments for 'config|get' command".into());
    }
    let is_asked = |key: &str| {
        let mut names = names.iter();
        names.any(|name| name == b"*" || name.eq_ignore_ascii_case(key.as_bytes()))
    };
    let known: Vec<_> = CONFIGURATION
        .iter()
        .filter(|(key, _)| is_asked(key))
        .collect();
    replies.array(2 * known.len());
    for (key, value) in known {
        replies.bulk(key);
        replies.bulk(value);
    }
    Ok(())
}

fn unknown(command: &str, subcommand: &[u8]) -> Refused {
    let subcommand = shown(subcommand);
    format!("ERR unknown subcommand '{subcommand}'. Try {command} HELP.")
}
