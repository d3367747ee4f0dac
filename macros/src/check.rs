//! `#[check]`: a test that runs in every schedule that matters.
//!
//! A small macro, in one file: the stages are the functions, from top to bottom.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ItemFn, ReturnType, Token};

use crate::diagnostics::Errors;
use crate::gather::Gather;
use crate::names::{Krate, crate_path, hygienic};

/// The options of a check that the attribute supports.
const OPTIONS: [&str; 8] = [
    "cancels",
    "timeouts",
    "max_runs",
    "max_steps",
    "tasks",
    "cancels_may_starve",
    "sample",
    "stack_size",
];

/// The arguments of `#[check(..)]`.
#[derive(Default)]
struct Arguments {
    krate: Krate,
    options: Vec<(Ident, Expr)>,
}

/// `#[check(arguments)] async fn ..`: on errors, the item is emitted next to them.
pub(crate) fn check(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let errors = Errors::new();
    let arguments = parse_arguments(arguments, &errors);
    let function = errors.ok(syn::parse2::<ItemFn>(item.clone()));
    let checked = function.filter(|function| is_test(function, &errors));
    let mut output = match checked {
        Some(function) => expand(function, &arguments),
        None => item,
    };
    output.extend(errors.finish());
    output
}

fn parse_arguments(tokens: TokenStream, errors: &Errors) -> Arguments {
    let mut arguments = Arguments::default();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let name = input.call(Ident::parse_any)?;
            if !input.peek(Token![=]) && OPTIONS.iter().any(|option| name == option) {
                return Err(syn::Error::new_spanned(
                    &name,
                    format!("`{name}` has a value: write `{name} = ..`"),
                ));
            }
            input.parse::<Token![=]>()?;
            if name == "crate" {
                arguments.krate = Krate::at_path(&crate_path(input)?);
            } else if OPTIONS.iter().any(|option| name == option) {
                arguments.options.push((name, input.parse()?));
            } else {
                return Err(syn::Error::new_spanned(
                    &name,
                    format!(
                        "`{name}` is not an option of a check: write `{} = ..`, or `crate = ::path`",
                        OPTIONS.join(" = ..`, `")
                    ),
                ));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    errors.ok(parser.parse2(tokens));
    arguments
}

/// Whether it can run as a test.
fn is_test(function: &ItemFn, errors: &Errors) -> bool {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors.at(
            signature.fn_token,
            "`#[check]` runs an async fn, whose `check::spawn` makes the tasks: write `async fn`, or \
             call `check::every_schedule` in a `#[test]`",
        );
    }
    if !signature.inputs.is_empty() {
        errors.at(&signature.inputs, "a test has no parameters: remove them");
    }
    let returns = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, output) => Some(output),
    };
    if let Some(output) = returns {
        errors.at(
            output,
            "a check returns nothing: use `unwrap` or an `assert!`",
        );
    }
    signature.asyncness.is_some() && signature.inputs.is_empty() && returns.is_none()
}

/// Expands to:
///
/// ```text
/// #[test]
/// fn name() {
///     ::async_monitor::check::Check::new().cancels(0).__every_schedule_of("name", || async move { .. });
/// }
/// ```
fn expand(function: ItemFn, arguments: &Arguments) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
        ..
    } = function;
    let krate = &arguments.krate;
    let span = hygienic(Span::call_site());
    let name = &sig.ident;
    let text = name.unraw().to_string();
    let options: TokenStream = arguments
        .options
        .iter()
        .map(|(name, value)| quote_spanned!(name.span()=> .#name(#value)))
        .gather();
    // Another attribute may make a test of it already.
    let is_test = attrs.iter().any(|attr| attr.path().is_ident("test"));
    let test = if is_test {
        TokenStream::new()
    } else {
        quote_spanned!(span=> #[::core::prelude::v1::test])
    };
    let mut output = TokenStream::new();
    attrs.iter().for_each(|attr| attr.to_tokens(&mut output));
    output.extend(quote! {
        #test
        #vis fn #name() {
            #krate::check::Check::new()
                #options
                .__every_schedule_of(#text, || async move #block);
        }
    });
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arguments: TokenStream, item: TokenStream) -> String {
        check(arguments, item).to_string().replace(' ', "")
    }

    #[test]
    fn a_check_is_a_test() {
        let output = text(
            quote!(cancels = 0),
            quote!(
                async fn holds() {
                    body()
                }
            ),
        );
        assert!(output.contains("test]fnholds()"), "{output}");
        assert!(output.contains("Check::new().cancels(0)"), "{output}");
        assert!(output.contains("\"holds\",||asyncmove{body()}"), "{output}");
    }

    #[test]
    fn mistakes_are_said_and_the_item_is_kept() {
        let output = text(
            quote!(cancel = 0),
            quote!(
                async fn holds() {}
            ),
        );
        assert!(output.contains("isnotanoptionofacheck"), "{output}");
        assert!(output.contains("fnholds"), "{output}");
        let output = text(
            quote!(),
            quote!(
                fn holds(sum: u8) -> u8 {
                    sum
                }
            ),
        );
        assert!(
            output.contains("runsanasyncfn") && output.contains("fnholds"),
            "{output}"
        );
        assert!(output.contains("hasnoparameters"), "{output}");
        assert!(output.contains("returnsnothing"), "{output}");
    }
}
