//! The beginning of an operand, by its tokens.

use proc_macro2::{Delimiter, Ident, Spacing, TokenTree};

/// The index of the first token of the operand that ends with these tokens: of a variable, a
/// path, or a chain of calls, fields, `?` and indices that begins with one, with parentheses,
/// or with the call of a macro. `None` if that takes parsing the tokens before, as behind a
/// block or a `>`; and for an operand that is only parentheses, which would be
/// reported as superfluous around an argument.
pub(super) fn begins_at(tokens: &[TokenTree]) -> Option<usize> {
    let mut end = tokens.len();
    loop {
        let start = end.checked_sub(1)?;
        let before = tokens.get(..start)?;
        end = match tokens.get(start)? {
            TokenTree::Punct(punct) if punct.as_char() == '?' => start,
            TokenTree::Punct(_) => return None,
            TokenTree::Ident(_) | TokenTree::Literal(_) => match in_front_of_name(before) {
                Before::Part(end) => end,
                Before::Nothing => return Some(start),
                Before::Unknown => return None,
            },
            TokenTree::Group(group) => match group.delimiter() {
                Delimiter::None => return Some(start),
                Delimiter::Brace => return None,
                Delimiter::Parenthesis | Delimiter::Bracket => match in_front_of_group(before) {
                    Before::Part(end) => end,
                    Before::Nothing => return (end < tokens.len()).then_some(start),
                    Before::Unknown => return None,
                },
            },
        }
    }
}

/// The tokens in front of a token of an operand.
enum Before {
    /// More of the operand, from that index on.
    Part(usize),
    /// Something else.
    Nothing,
    Unknown,
}

fn in_front_of_name(before: &[TokenTree]) -> Before {
    match before {
        [.., first, dot] if is_punct(dot, '.') && is_joint(first, '.') => Before::Nothing,
        [rest @ .., dot] if is_punct(dot, '.') => Before::Part(rest.len()),
        [rest @ .., first, second] if is_joint(first, ':') && is_punct(second, ':') => {
            match rest.last() {
                Some(TokenTree::Ident(word)) if is_operand(rest, word) => Before::Part(rest.len()),
                // Types in angle brackets, or a path that begins with `::`.
                _ => Before::Unknown,
            }
        }
        _ => Before::Nothing,
    }
}

fn in_front_of_group(before: &[TokenTree]) -> Before {
    let Some((last, rest)) = before.split_last() else {
        return Before::Nothing;
    };
    match last {
        TokenTree::Ident(word) if is_operand(before, word) => Before::Part(before.len()),
        TokenTree::Ident(_) => Before::Nothing,
        TokenTree::Literal(_) => Before::Unknown,
        TokenTree::Punct(punct) => match punct.as_char() {
            '?' => Before::Part(before.len()),
            '!' => match rest.last() {
                Some(TokenTree::Ident(word)) if is_operand(rest, word) => Before::Part(rest.len()),
                _ => Before::Nothing,
            },
            '>' => match rest.last() {
                Some(first) if is_joint(first, '=') => Before::Nothing,
                _ => Before::Unknown,
            },
            // The brackets of an attribute do not belong to an operand.
            '#' => Before::Unknown,
            _ => Before::Nothing,
        },
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Brace => Before::Unknown,
            Delimiter::Bracket if is_attribute(rest) => Before::Nothing,
            Delimiter::Bracket | Delimiter::Parenthesis | Delimiter::None => {
                Before::Part(before.len())
            }
        },
    }
}

/// Whether brackets behind these tokens are those of an attribute.
fn is_attribute(before: &[TokenTree]) -> bool {
    match before {
        [.., hash] if is_punct(hash, '#') => true,
        [.., hash, bang] => is_punct(hash, '#') && is_punct(bang, '!'),
        _ => false,
    }
}

/// Whether a word that ends the tokens can be an operand: it is not a keyword, except `self` and
/// the like, and not the name of a label.
fn is_operand(tokens: &[TokenTree], word: &Ident) -> bool {
    const KEYWORDS: [&str; 25] = [
        "as", "async", "become", "box", "break", "const", "do", "dyn", "else", "for", "if", "impl",
        "in", "let", "loop", "match", "move", "mut", "ref", "return", "static", "unsafe", "where",
        "while", "yield",
    ];
    let is_label = matches!(tokens, [.., quote, _] if is_punct(quote, '\''));
    !is_label && !KEYWORDS.iter().any(|keyword| word == keyword)
}

fn is_punct(token: &TokenTree, char: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == char)
}

fn is_joint(token: &TokenTree, char: char) -> bool {
    matches!(
        token,
        TokenTree::Punct(punct) if punct.as_char() == char && punct.spacing() == Spacing::Joint
    )
}

#[cfg(test)]
mod tests {
    use proc_macro2::{TokenStream, TokenTree};

    use super::begins_at;

    /// `^` marks the expected beginning of the operand, if it has one.
    #[track_caller]
    fn begins(text: &str) {
        let tokens = |text: &str| -> Vec<TokenTree> {
            let tokens: TokenStream = text.parse().expect("tokens");
            tokens.into_iter().collect()
        };
        let all = tokens(&text.replace('^', ""));
        let expected = text
            .split_once('^')
            .map(|(_, operand)| all.len() - tokens(operand).len());
        assert_eq!(begins_at(&all), expected, "{text}");
    }

    #[test]
    fn chains_begin_where_nothing_binds_tighter() {
        for text in [
            "^x",
            "let y = ^x",
            "return ^x",
            "break 'a ^x",
            "& mut ^x",
            "- ^a.b.0.c",
            "1 + ^self.f(x)?[3](y)?.g()",
            "a, ^m::f(x)",
            "^crate::m::N",
            "return ^(x)?",
            "if !^(x).f()",
            "break 'a ^(x).f()",
            "a != ^(x).y",
            "a => ^(x)[1]",
            "a >= ^(x)()",
            "a > ^x",
            "..^x",
            "a..^(x).y",
            "..^x.f()",
            "S { a } ; ^x",
            "{ } ^x",
            "#[a] ^(x).y",
            "#![a] ^x.f()",
            "^m!(x)?",
            "return ^a::m![x]",
            "S { a: 1 }, b: ^x",
            "^f(x).await?.g()",
            "& raw const ^(x).y",
            "^db.raw(x).f()",
            "^raw(x).y",
        ] {
            begins(text);
        }
    }

    #[test]
    fn others_are_not_looked_for() {
        for text in [
            "",
            "(x)",
            "return (x)",
            "unsafe { f() }",
            "{ } (x)",
            "if a { } [x]",
            "unsafe { f }(x)",
            "f::<T>(x)",
            "a > (x)",
            "<T as U>::f(x)",
            "::a::f(x)",
            "m! { }",
            "x.f::<T>()",
        ] {
            begins(text);
        }
    }
}
