//! What a step in a chroot sees beside its root: laid out in the root itself, taken away after it.

use std::io;
use std::path::{Path, PathBuf};

use super::StepMount;
use super::relay::Relay;
use super::stubs::Stubs;
use crate::rootdir::RootDir;

pub(super) struct Layout { root: RootDir, scratch: PathBuf }
impl Layout {
    pub(super) fn new(root: RootDir, scratch: PathBuf) -> Self { Self { root, scratch } }
    pub(super) fn devices(&mut self) -> io::Result<()> { Ok(()) }
    pub(super) fn file(&mut self, target: &str, content: &[u8], mode: u32, owner: (u32, u32)) -> io::Result<()> { Ok(()) }
    pub(super) fn mount(&mut self, mount: StepMount) -> io::Result<Option<Relay>> { Ok(None) }
    pub(super) fn settle(&self) -> io::Result<()> { Ok(()) }
    pub(super) fn take_away(self) -> io::Result<()> { Ok(()) }
}
