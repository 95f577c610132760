//! Users and groups as the files of a root name them.
