//! Images: manifest and config, and the places an image goes to.
