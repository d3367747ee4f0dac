//! Unit tests of sections.

mod expansion;
mod messages;

use proc_macro2::TokenStream;

use super::synchronized;

/// The text of the messages in an output.
fn messages_in(output: &TokenStream) -> Vec<String> {
    let text = output.to_string();
    let parts = text.split("compile_error").skip(1);
    let messages = parts.filter_map(|part| {
        let literal = part.get(part.find('"')?..)?;
        let end = literal.rfind('"')?;
        Some(literal.get(1..end)?.to_owned())
    });
    messages.collect()
}

#[track_caller]
fn assert_messages(output: &TokenStream, expected: &[&str]) {
    let messages = messages_in(output);
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, expected) in messages.iter().zip(expected) {
        assert!(
            message.contains(expected),
            "{message:?} is not about {expected:?}"
        );
    }
}

#[track_caller]
fn fn_errors(arguments: TokenStream, item: TokenStream, expected: &[&str]) -> String {
    let output = synchronized(arguments, item);
    assert_messages(&output, expected);
    output.to_string()
}
