//! Doing something in a forked process, and hearing what came of it.

use std::io;

use rustix::process::{Pid, WaitOptions};
use serde::{Deserialize, Serialize};

use super::spec::{self, Failure, Stage as _};
use super::sys;

/// Does something in a child process, and returns what it returned.
pub(super) fn in_child<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure>
where
    T: Serialize + for<'a> Deserialize<'a>,
{
    Child::start(work)?.finish()
}

/// A forked process that ends with a result.
pub(super) struct Child<T> {
    pid: Pid,
    result: io::PipeReader,
    _result: std::marker::PhantomData<T>,
}

impl<T: Serialize + for<'a> Deserialize<'a>> Child<T> {
    pub(super) fn start(work: impl FnOnce() -> Result<T, Failure>) -> Result<Self, Failure> {
        let (result, mut writer) = io::pipe().stage("make a pipe")?;
        if let Some(pid) = sys::fork().stage("fork")? {
            return Ok(Self { pid, result, _result: std::marker::PhantomData });
        }
        drop(result);
        let written = spec::write_frame(&mut writer, &work());
        sys::exit_now(i32::from(written.is_err()))
    }

    pub(super) fn finish(mut self) -> Result<T, Failure> {
        let result = spec::read_frame(&mut self.result);
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitpid(Some(self.pid), WaitOptions::empty())
        {}
        result.unwrap_or_else(|error| Err(Failure::new("hear from a probe", &error)))
    }
}
