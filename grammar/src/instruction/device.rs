//! `RUN --device=name[,required]` (BuildKit `commands_rundevice.go`).

use ir::instruction::Device;
use ir::{Code, Diagnostic, Span};

use super::mount::record;
use crate::span_map::Fragment;
use crate::suggest;

/// Reads one device; `span` is the flag.
pub(super) fn device(value: Fragment<'_>, span: Span) -> Result<Device, Diagnostic> {
    let bad = |span, message: String| Diagnostic::error(Code::BadFlagValue, span, message);
    let Some(fields) = record(value).filter(|_| !value.text().is_empty()) else {
        return Err(bad(span, "the value of `--device` cannot be read".to_owned())
            .help("write `--device=NAME` or `--device=NAME,required`"));
    };
    let mut device = Device { written: value.to_text(), name: String::new(), required: false };
    for field in &fields {
        let field = field.whole();
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.text().to_ascii_lowercase(), Some(value.text())),
            None => (field.text().to_ascii_lowercase(), None),
        };
        match (key.as_str(), value) {
            ("required", None) => device.required = true,
            ("required", Some(text)) => {
                device.required = ir::parse_bool(text).ok_or_else(|| {
                    bad(field.span(), format!("`{}` is no truth value", suggest::shown(text)))
                        .help("write `required`, or leave it out")
                })?;
            }
            ("name", Some(name)) if device.name.is_empty() => name.clone_into(&mut device.name),
            // A name may itself hold an equals sign: `vendor.com/class=name`.
            (_, _) if device.name.is_empty() => field.text().clone_into(&mut device.name),
            (_, _) => {
                let shown = suggest::shown(field.text());
                let help = match suggest::nearest(&key, ["required"]) {
                    Some(known) => format!("write `{known}`"),
                    None => "give each device a `--device` of its own".to_owned(),
                };
                return Err(
                    bad(field.span(), format!("`{shown}` is no part of a device")).help(help)
                );
            }
        }
    }
    Ok(device)
}
