//! Registries: pull and push over the distribution protocol.
