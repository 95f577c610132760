//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is written beside its final name and renamed by [`Partial::commit`]. Dropping it
/// uncommitted leaves what was there before.
///
/// Where the name cannot be replaced, because it is a device, a pipe or a mount point
/// (`/dev/stdout`, Kubernetes' `/dev/termination-log`), it is written in place.
pub(super) struct Partial {
    file: File,
    /// The temporary name; none once it is renamed, or when the file is written in place.
    temporary: Option<PathBuf>,
    to: PathBuf,
}

impl Partial {
    /// Opens a file that will become `to`. The directory must exist.
    pub(super) fn create(to: &Path) -> io::Result<Self> {
        // A link stays a link: what it leads to is replaced.
        let to = fs::canonicalize(to).unwrap_or_else(|_| to.to_owned());
        let known = fs::metadata(&to).ok();
        if known.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if known.as_ref().is_some_and(|known| !known.is_file()) {
            let file = File::options().write(true).open(&to)?;
            return Ok(Self { file, temporary: None, to });
        }
        let temporary = temporary_name(&to)?;
        match File::options().read(true).write(true).create(true).truncate(true).open(&temporary) {
            Ok(file) => Ok(Self { file, temporary: Some(temporary), to }),
            // The file may be ours to write where its directory is not.
            Err(error) if known.is_some() => {
                let file = File::options().write(true).truncate(true).open(&to);
                Ok(Self { file: file.map_err(|_| error)?, temporary: None, to })
            }
            Err(error) => Err(error),
        }
    }

    /// Gives the file its name.
    pub(super) fn commit(mut self) -> io::Result<()> {
        self.file.flush()?;
        let Some(temporary) = self.temporary.as_ref() else { return Ok(()) };
        match fs::rename(temporary, &self.to) {
            Ok(()) => self.temporary = None,
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                let mut from = File::open(temporary)?;
                let mut to = File::options().write(true).truncate(true).open(&self.to)?;
                io::copy(&mut from, &mut to)?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            // It is in the way of nobody: the next build of this name truncates it.
            fs::remove_file(temporary).ok();
        }
    }
}

/// Writes a small file whole.
pub(super) fn write(to: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = Partial::create(to)?;
    partial.write_all(bytes)?;
    partial.commit()
}

/// A hidden name in the same directory. The process id keeps two builds apart.
fn temporary_name(to: &Path) -> io::Result<PathBuf> {
    let name = to.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.partial", std::process::id()));
    Ok(to.with_file_name(hidden))
}
