//! Confined execution of the commands of `RUN`.
