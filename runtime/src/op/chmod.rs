//! `--chmod`: modes as chmod(1) of BSD reads them, which BuildKit follows.

use ir::op::Mode;

/// Bits of who may do something.
const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// A symbolic mode that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read mode `{mode}`")]
pub struct ModeError {
    /// As written.
    pub mode: String,
}

/// A change of modes.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// Every mode becomes this.
    To(u32),
    /// Clauses, one after another.
    By(Vec<Clause>),
}

/// `go-w`
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    /// 0o700, 0o070, 0o007 or several.
    who: u32,
    operator: Operator,
    permissions: Vec<Permission>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

#[derive(Clone, Copy, Debug)]
enum Permission {
    /// `r`, `w` or `x`, for everyone: 0o444, 0o222 or 0o111.
    Bits(u32),
    /// `X`: `x` for directories, and where someone had it before; never taken away.
    ConditionalExecute,
    /// `s`
    SetId,
    /// `t`
    Sticky,
    /// `u`, `g` or `o`: what that one has; how far to shift it to the right.
    Copied(u32),
}

impl Change {
    /// Reads a mode.
    pub(crate) fn new(mode: &Mode) -> Result<Self, ModeError> {
        match mode {
            Mode::Octal(mode) => Ok(Self::To(mode & 0o7777)),
            Mode::Symbolic(text) => {
                clauses(text).map(Self::By).ok_or_else(|| ModeError { mode: text.clone() })
            }
        }
    }

    /// What a mode becomes.
    pub(crate) fn apply(&self, mode: u32, is_directory: bool) -> u32 {
        match self {
            Self::To(mode) => *mode,
            Self::By(clauses) => {
                let conditional = is_directory || mode & 0o111 != 0;
                clauses.iter().fold(mode, |mode, clause| clause.apply(mode, conditional))
            }
        }
    }
}

impl Clause {
    /// `conditional` is whether an `X` counts.
    fn apply(&self, mode: u32, conditional: bool) -> u32 {
        let bits = self.permissions.iter().fold(0, |bits, permission| {
            bits | match permission {
                Permission::Bits(bits) => bits & self.who,
                Permission::ConditionalExecute
                    if conditional && self.operator != Operator::Remove =>
                {
                    0o111 & self.who
                }
                Permission::ConditionalExecute => 0,
                Permission::SetId => self.set_id(),
                Permission::Sticky if self.who == 0o007 => 0,
                Permission::Sticky => STICKY,
                Permission::Copied(shift) => (((mode >> shift) & 0o7) * 0o111) & self.who,
            }
        });
        match self.operator {
            Operator::Add => mode | bits,
            Operator::Remove => mode & !bits,
            // Unlike with GNU's, a directory loses its setuid and setgid, and nothing its sticky bit.
            Operator::Set => mode & !(self.who | self.set_id()) | bits,
        }
    }

    fn set_id(&self) -> u32 {
        let user = if self.who & 0o700 == 0 { 0 } else { SETUID };
        let group = if self.who & 0o070 == 0 { 0 } else { SETGID };
        user | group
    }
}

fn clauses(text: &str) -> Option<Vec<Clause>> {
    let mut clauses = Vec::new();
    for part in text.split(',') {
        let start = part.find(['+', '-', '='])?;
        let (who, actions) = part.split_at(start);
        let who = who.chars().try_fold(0, |bits, char| {
            Some(match char {
                'u' => bits | 0o700,
                'g' => bits | 0o070,
                'o' => bits | 0o007,
                'a' => 0o777,
                _ => return None,
            })
        })?;
        let who = if who == 0 { 0o777 } else { who };
        for char in actions.chars() {
            if let Some(operator) = operator(char) {
                clauses.push(Clause { who, operator, permissions: Vec::new() });
            } else {
                clauses.last_mut()?.permissions.push(permission(char)?);
            }
        }
    }
    Some(clauses)
}

fn operator(char: char) -> Option<Operator> {
    match char {
        '+' => Some(Operator::Add),
        '-' => Some(Operator::Remove),
        '=' => Some(Operator::Set),
        _ => None,
    }
}

fn permission(char: char) -> Option<Permission> {
    Some(match char {
        'r' => Permission::Bits(0o444),
        'w' => Permission::Bits(0o222),
        'x' => Permission::Bits(0o111),
        'X' => Permission::ConditionalExecute,
        's' => Permission::SetId,
        't' => Permission::Sticky,
        'u' => Permission::Copied(6),
        'g' => Permission::Copied(3),
        'o' => Permission::Copied(0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_modes_change_what_they_name() {
        for (text, mode, directory, expected) in [
            ("u=rwX,go=rX", 0o600, false, 0o644),
            ("u=rwX,go=rX", 0o700, false, 0o755),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("+x", 0o644, false, 0o755),
            ("a-w", 0o666, false, 0o444),
            ("go=u", 0o750, false, 0o777),
            ("u+s,g-s", 0o2755, false, 0o4755),
            ("+t", 0o777, true, 0o1777),
            ("=r", 0o7777, false, 0o1444),
            ("g=rx", 0o2777, true, 0o757),
            ("o+t", 0o777, true, 0o777),
            ("o+s", 0o777, true, 0o777),
            ("-X", 0o777, true, 0o777),
            ("a-x,a+X", 0o755, false, 0o755),
            ("u=rw,go=rX", 0o700, false, 0o655),
            ("u+go", 0o021, false, 0o321),
            ("go=u-w", 0o370, false, 0o311),
            ("u+r-w", 0o300, false, 0o500),
            ("o=", 0o777, false, 0o770),
            ("a=rx,u+w", 0, false, 0o755),
        ] {
            let change = Change::new(&Mode::Symbolic(text.to_owned())).unwrap();
            let found = change.apply(mode, directory);
            assert_eq!(found, expected, "{text} on {mode:o}: {found:o}");
        }
    }

    #[test]
    fn what_is_no_mode_is_refused() {
        for text in ["", "u", "rwx", "u+q", "z+r", "u=r,", "755"] {
            assert!(Change::new(&Mode::Symbolic(text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn an_octal_mode_is_the_mode() {
        let change = Change::new(&Mode::Octal(0o4755)).unwrap();
        assert_eq!(change.apply(0o600, false), 0o4755);
    }
}
