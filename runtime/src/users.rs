//! Users and groups as the files of a root name them.

use std::io::{self, Read as _};
use std::path::Path;

use crate::rootdir::{self, RootDir};

/// The most that is read of one of the files; what lies behind it is not looked at.
const MAX_FILE: u64 = 16 << 20;

/// Who a command runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Supplementary groups, sorted, each once, without the primary one. Empty if the group was
    /// given explicitly, as with runc.
    pub groups: Vec<u32>,
    /// Home directory; `/` for a user that has no entry.
    pub home: String,
}

/// Why a user or a group could not be found.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// No such name.
    #[error("cannot find user `{name}`: /etc/passwd of the image does not name it")]
    NoUser {
        /// The name.
        name: String,
    },
    /// No such name.
    #[error("cannot find group `{name}`: /etc/group of the image does not name it")]
    NoGroup {
        /// The name.
        name: String,
    },
    /// A file is there and cannot be read.
    #[error("cannot read {file} of the image")]
    Read {
        /// Which.
        file: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// Who `user[:group]` is, for a command. Both parts are names or numbers; an empty one is root
/// resp. the user's own group. A number needs no entry, a name does.
pub(crate) fn lookup(root: &RootDir, spec: &str) -> Result<User, UserError> {
    let (user, group) = split(spec);
    let user = user.unwrap_or("0");
    let passwd = read(root, "/etc/passwd")?;
    let number = number(user);
    let entry = passwd.lines().filter_map(Account::parse).find(|account| match number {
        Some(number) => account.uid == number,
        None => account.name == user,
    });
    let mut found = match (&entry, number) {
        (Some(account), _) => User {
            uid: account.uid,
            gid: account.gid,
            groups: Vec::new(),
            home: if account.home.is_empty() { "/" } else { account.home }.to_owned(),
        },
        (None, Some(uid)) => {
            let home = if uid == 0 { "/root" } else { "/" };
            User { uid, gid: 0, groups: Vec::new(), home: home.to_owned() }
        }
        (None, None) if user == "root" => {
            User { uid: 0, gid: 0, groups: Vec::new(), home: "/root".to_owned() }
        }
        (None, None) => return Err(UserError::NoUser { name: user.to_owned() }),
    };
    if let Some(group) = group {
        found.gid = group_id(root, group)?;
    } else if let Some(account) = entry {
        let file = read(root, "/etc/group")?;
        found.groups = file
            .lines()
            .filter_map(Group::parse)
            .filter(|group| group.members.split(',').any(|member| member == account.name))
            .map(|group| group.gid)
            .filter(|gid| *gid != found.gid)
            .collect();
        found.groups.sort_unstable();
        found.groups.dedup();
    }
    Ok(found)
}

/// Owner and group that `--chown` names. A number without a group is its own group, a name
/// without one brings its primary group, `:group` alone belongs to root.
pub(crate) fn owner(root: &RootDir, spec: &str) -> Result<(u32, u32), UserError> {
    let (user, group) = split(spec);
    let (uid, own_group) = match user {
        None => (0, 0),
        Some(user) => {
            if let Some(number) = number(user) {
                (number, number)
            } else {
                let user = lookup(root, user)?;
                (user.uid, user.gid)
            }
        }
    };
    let gid = group.map_or(Ok(own_group), |group| group_id(root, group))?;
    Ok((uid, gid))
}

/// The two parts of `user[:group]`; an empty one counts as not given.
fn split(spec: &str) -> (Option<&str>, Option<&str>) {
    let (user, group) = spec.split_once(':').unwrap_or((spec, ""));
    (Some(user).filter(|user| !user.is_empty()), Some(group).filter(|group| !group.is_empty()))
}

/// A number of a user or group. The highest one is nobody's: to the kernel it means "leave it".
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX)
}

fn group_id(root: &RootDir, group: &str) -> Result<u32, UserError> {
    if let Some(number) = number(group) {
        return Ok(number);
    }
    let file = read(root, "/etc/group")?;
    let found = file.lines().filter_map(Group::parse).find(|entry| entry.name == group);
    match found {
        Some(entry) => Ok(entry.gid),
        None if group == "root" => Ok(0),
        None => Err(UserError::NoGroup { name: group.to_owned() }),
    }
}

/// A file of the root as text; empty if it does not exist. Bytes that are no UTF-8 become
/// replacement characters: then that line's name matches nothing, and the others still do.
fn read(root: &RootDir, file: &'static str) -> Result<String, UserError> {
    let mut bytes = Vec::new();
    match root.open_file(Path::new(file)) {
        Ok(opened) => opened
            .take(MAX_FILE)
            .read_to_end(&mut bytes)
            .map_err(|source| UserError::Read { file, source })?,
        Err(error) if rootdir::is_missing(&error) => 0,
        Err(source) => return Err(UserError::Read { file, source }),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A line of `passwd(5)`.
struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Account<'a> {
    /// None for a line that is none (a comment, an NIS entry, garbage).
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let _password = fields.next()?;
        let uid = number(fields.next()?)?;
        let gid = number(fields.next()?)?;
        let _comment = fields.next();
        Some(Self { name, uid, gid, home: fields.next().unwrap_or("") })
    }
}

/// A line of `group(5)`.
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> Group<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let _password = fields.next()?;
        let gid = number(fields.next()?)?;
        Some(Self { name, gid, members: fields.next().unwrap_or("") })
    }
}

#[cfg(test)]
mod tests;
