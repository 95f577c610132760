//! Blobs into the store: each once, resumed where the connection broke, verified.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use ir::{Digest, ImageRef};
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::mpsc;

use super::descriptor::Descriptor;
use super::error::{Failure, RegistryError};
use super::transport::next_chunk;
use super::{Client, Errand, blob_of, locked};
use crate::store::{BlobWriter, Store, StoreError};

/// How many chunks (of some 16 KiB) may wait for the disk.
const WAITING_CHUNKS: usize = 64;

/// What is fetched, and where to.
struct Fetch<'a, P> {
    errand: Errand<'a>,
    blob: &'a Descriptor,
    store: &'a Store,
    progress: &'a P,
}

impl Client {
    /// Brings a blob of an image into the store, if it is not there. Returns where it lies.
    /// `progress` is told the bytes that are here; the number falls where a fetch begins anew.
    ///
    /// The same blob is fetched once at a time; who else wants it waits.
    ///
    /// `place` is where the image was found. What is not to be had there comes from the other
    /// places that the image may be at.
    pub async fn fetch(
        &self,
        place: &ImageRef,
        layer: &Descriptor,
        store: &Store,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<PathBuf, RegistryError> {
        let turn = self.turn(layer.digest);
        let _turn = turn.lock().await;
        if let Some(path) = store.blob(&layer.digest, layer.size) {
            progress(layer.size);
            return Ok(path);
        }
        let asked = locked(&self.inner.places).asked.get(place).cloned();
        let image = asked.as_ref().unwrap_or(place);
        let mut search = self.search(image, Some(place), blob_of(image, &layer.digest));
        loop {
            let place = search.place();
            let errand = Errand::pull(place, blob_of(place, &layer.digest), search.hurried());
            let fetch = Fetch { errand, blob: layer, store, progress: &progress };
            match self.fetch_at(&fetch).await {
                Ok(path) => return Ok(path),
                Err(error) => search.next(error)?,
            }
        }
    }

    /// From one place. What came before it failed is not used for another one: it may be wrong.
    async fn fetch_at<P: Fn(u64) + Send + Sync>(
        &self,
        fetch: &Fetch<'_, P>,
    ) -> Result<PathBuf, RegistryError> {
        let mut attempts = self.pull_attempts(&fetch.errand);
        let mut partial = None;
        loop {
            match self.fetch_once(fetch, &mut partial).await {
                Ok(path) => return Ok(path),
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    /// What whoever fetches a blob holds locked.
    fn turn(&self, digest: Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut in_flight = locked(&self.inner.in_flight);
        in_flight.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = in_flight.get(&digest).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        in_flight.insert(digest, Arc::downgrade(&turn));
        turn
    }

    /// One attempt. What came is in `partial` afterwards, if another one can go on from there.
    async fn fetch_once<P: Fn(u64) + Send + Sync>(
        &self,
        fetch: &Fetch<'_, P>,
        partial: &mut Option<BlobWriter>,
    ) -> Result<PathBuf, Failure> {
        let begun = partial.take();
        let here = begun.as_ref().map_or(0, BlobWriter::written);
        // All may have come before the connection broke.
        let writer = if begun.is_some() && here == fetch.blob.size {
            begun
        } else {
            let response = self.ask(fetch, here).await;
            let (response, resumed) = match response {
                Ok(answer) => answer,
                Err(failure) => {
                    // What came is kept, unless the registry contradicts it.
                    let contradicts = matches!(failure.error, RegistryError::Size { .. });
                    *partial = begun.filter(|_| !contradicts);
                    return Err(failure);
                }
            };
            let begun = begun.filter(|_| resumed);
            Some(fetch.receive(response, begun, partial).await?)
        };
        let writer = writer.expect("both ways give one");
        let finish = move || writer.finish();
        let finished = tokio::task::spawn_blocking(finish).await.map_err(stopped)?;
        finished.map_err(|error| fetch.explain(error))
    }

    /// The answer, and whether it begins at `here` instead of at the beginning.
    async fn ask<P>(&self, fetch: &Fetch<'_, P>, here: u64) -> Result<(Response, bool), Failure> {
        let errand = &fetch.errand;
        let endpoint = self.pull_endpoint(errand).await?;
        let url = errand.url(&endpoint, &format!("blobs/{}", fetch.blob.digest));
        let mut call = errand.call(Method::GET, url);
        if here > 0 {
            let range = format!("bytes={here}-");
            call.headers.insert(RANGE, HeaderValue::try_from(range).expect("it is ASCII"));
        }
        let response = self.send(&endpoint, &call).await?.success(&call).await?;
        let begins = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let resumed = response.status() == StatusCode::PARTIAL_CONTENT
            && begins.is_some_and(|range| range.starts_with(&format!("bytes {here}-")));
        if response.status() == StatusCode::PARTIAL_CONTENT && !resumed {
            return Err(fetch.wrong_size(0));
        }
        let before = if resumed { here } else { 0 };
        match response.content_length() {
            Some(length) if before.saturating_add(length) != fetch.blob.size => {
                Err(fetch.wrong_size(before.saturating_add(length)))
            }
            Some(_) | None => Ok((response, resumed)),
        }
    }
}

impl<P: Fn(u64) + Send + Sync> Fetch<'_, P> {
    /// Writes an answer's bytes on a thread that may block. Where that breaks off, what came is
    /// in `partial`.
    async fn receive(
        &self,
        mut response: Response,
        begun: Option<BlobWriter>,
        partial: &mut Option<BlobWriter>,
    ) -> Result<BlobWriter, Failure> {
        let writer = match begun {
            Some(writer) => writer,
            None => self.store.writer(self.blob.digest, self.blob.size)?,
        };
        let mut here = writer.written();
        (self.progress)(here);
        let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
        let writing = tokio::task::spawn_blocking(move || write(writer, receiver));
        let registry = self.errand.access.image.registry();
        let received = loop {
            match next_chunk(&mut response, registry).await {
                Ok(Some(chunk)) => {
                    here += chunk.len() as u64;
                    // The other end is gone if the disk is full, or if there is too much.
                    if sender.send(chunk).await.is_err() {
                        break Ok(());
                    }
                    (self.progress)(here);
                }
                Ok(None) => break Ok(()),
                Err(failure) => break Err(failure),
            }
        };
        drop(sender);
        let (writer, written) = writing.await.map_err(stopped)?;
        written.map_err(|error| self.explain_write(error))?;
        match received {
            Ok(()) => Ok(writer),
            Err(failure) => {
                *partial = Some(writer);
                Err(failure)
            }
        }
    }

    fn explain_write(&self, error: io::Error) -> Failure {
        match error.downcast::<StoreError>() {
            Ok(error) => self.explain(error),
            Err(source) => {
                let path = self.store.directory().to_owned();
                StoreError::Io { verb: "write to", path, source }.into()
            }
        }
    }

    /// What is wrong with the blob may be right the next time; a broken disk stays broken.
    fn explain(&self, error: StoreError) -> Failure {
        match error {
            StoreError::Digest { expected, got } => {
                let object = self.errand.object.clone();
                let error = RegistryError::Digest { object, expected, got, attempts: 1 };
                Failure::transient(error)
            }
            StoreError::Size { got, .. } => self.wrong_size(got),
            error @ (StoreError::Io { .. } | StoreError::Foreign { .. }) => error.into(),
        }
    }
}

impl<P> Fetch<'_, P> {
    fn wrong_size(&self, got: u64) -> Failure {
        Failure::transient(RegistryError::Size {
            object: self.errand.object.clone(),
            expected: self.blob.size,
            got,
            attempts: 1,
        })
    }
}

fn write(
    mut writer: BlobWriter,
    mut chunks: mpsc::Receiver<Bytes>,
) -> (BlobWriter, io::Result<()>) {
    while let Some(chunk) = chunks.blocking_recv() {
        if let Err(error) = writer.write_all(&chunk) {
            return (writer, Err(error));
        }
    }
    (writer, Ok(()))
}

/// The runtime stops, or writing panicked.
fn stopped(error: tokio::task::JoinError) -> Failure {
    let object = "what was pulled".to_owned();
    RegistryError::Malformed { object, source: error.into() }.into()
}
