//! The work directory: blobs and unpacked roots by digest, and a scratch area for each build.
