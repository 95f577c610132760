//! A registry of its own for a test.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::tool;

/// Who may use a registry that asks. The password's hash is below.
pub const USER: &str = "user";
/// Their password.
pub const PASSWORD: &str = "secret";
const HTPASSWD: &str = "user:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n";

/// Who may talk to a registry, and how.
enum Access<'a> {
    Open,
    Password,
    Tls(&'a str),
    /// Open, and with the images of another one.
    Mirror(&'a str),
}

/// Makes an authority in `$1`, and a certificate of it for the name `$2`.
const CERTIFY: &str = r#"
cd "$1"
new="openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
$new -x509 -days 2 -subj /CN=authority -keyout authority.key -out authority.crt 2>/dev/null
$new -subj "/CN=$2" -keyout server.key -out server.csr 2>/dev/null
echo "subjectAltName=DNS:$2" > names
openssl x509 -req -days 2 -in server.csr -CA authority.crt -CAkey authority.key -CAcreateserial \
    -extfile names -out server.crt 2>/dev/null
"#;

/// A `docker-registry` on a free port of the loopback interface. Ends with the test.
pub struct Registry {
    process: Child,
    address: String,
    directory: TempDir,
    credentials: Option<String>,
}

impl Registry {
    /// One that everyone may use.
    pub fn start() -> Self {
        Self::serve(&Access::Open)
    }

    /// One that asks for [`USER`] and [`PASSWORD`].
    pub fn with_password() -> Self {
        Self::serve(&Access::Password)
    }

    /// One that speaks TLS under a name, with a certificate of an [authority](Self::authority) that
    /// nobody else knows.
    pub fn with_tls(name: &str) -> Self {
        Self::serve(&Access::Tls(name))
    }

    /// One that has what the registry at an address has: it asks that for what it does not have
    /// yet, and keeps it.
    pub fn mirror_of(address: &str) -> Self {
        Self::serve(&Access::Mirror(address))
    }

    fn serve(access: &Access<'_>) -> Self {
        let directory = tempfile::tempdir().expect("a test can make a directory");
        let path = |name: &str| directory.path().join(name).display().to_string();
        let auth = format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", path("htpasswd"));
        let tls =
            format!(", tls: {{certificate: {}, key: {}}}", path("server.crt"), path("server.key"));
        let (more, tls) = match access {
            Access::Open => (String::new(), ""),
            Access::Password => (auth, ""),
            Access::Tls(name) => {
                tool::script(CERTIFY, &[&path(""), name]);
                (String::new(), tls.as_str())
            }
            Access::Mirror(of) => (format!("proxy: {{remoteurl: \"http://{of}\"}}\n"), ""),
        };
        let settings = format!(
            "version: 0.1\n\
             log: {{level: info, formatter: json, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"127.0.0.1:0\"{tls}}}\n\
             {more}",
            path("data")
        );
        fs::write(path("settings.yml"), settings).expect("the directory is ours");
        fs::write(path("htpasswd"), HTPASSWD).expect("the directory is ours");
        let log = File::create(path("log")).expect("the directory is ours");
        let mut process = Command::new("docker-registry")
            .args(["serve", &path("settings.yml")])
            .env_clear()
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(log)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("these tests need `docker-registry`; try tests/run: {error}")
            });
        let address = listening(&mut process);
        let asks = matches!(access, Access::Password);
        let credentials = asks.then(|| format!("{USER}:{PASSWORD}"));
        Self { process, address, directory, credentials }
    }

    /// The certificate of the authority, as PEM, where it speaks TLS.
    pub fn authority(&self) -> String {
        let path = self.directory.path().join("authority.crt");
        fs::read_to_string(path).expect("it was made for a registry with TLS")
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// `127.0.0.1:PORT/NAME`.
    pub fn name(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// Copies the only image of a layout to `NAME`, as it is, and gives its whole reference.
    pub fn push(&self, layout: &Path, name: &str) -> String {
        let to = self.name(name);
        let credentials = self.credentials.iter().map(|c| format!("--dest-creds={c}"));
        let fixed = ["copy", "--quiet", "--preserve-digests", "--dest-tls-verify=false"];
        let from_to = [format!("oci:{}", layout.display()), format!("docker://{to}")];
        tool::run("skopeo", fixed.map(str::to_owned).into_iter().chain(credentials).chain(from_to));
        to
    }

    /// The file that holds a blob, to damage it.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").expect("digests are of SHA-256");
        let blobs = self.directory.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }

    /// Removes a repository, tags and all.
    pub fn forget(&self, repository: &str) {
        let path = self.repository(repository);
        fs::remove_dir_all(path).expect("the registry is idle");
    }

    /// Tags of a repository; none if there is no such repository.
    pub fn tags(&self, repository: &str) -> Vec<String> {
        let path = self.repository(repository).join("_manifests/tags");
        let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.expect("nobody removes tags").file_name().into_string().expect("tags are ASCII")
        };
        let mut tags: Vec<String> = entries.map(name).collect();
        tags.sort();
        tags
    }

    fn repository(&self, name: &str) -> PathBuf {
        self.directory.path().join("data/docker/registry/v2/repositories").join(name)
    }
}

/// Reads a registry's log up to the line that says where it listens.
fn listening(process: &mut Child) -> String {
    let mut log = BufReader::new(process.stderr.take().expect("it is piped"));
    let mut text = String::new();
    loop {
        let start = text.len();
        let read = log.read_line(&mut text).expect("a pipe can be read");
        assert!(read > 0, "the registry does not start: {text}");
        if let Some((_, address)) = text[start..].split_once("listening on ") {
            let end = address.find(|c: char| !(c.is_ascii_digit() || ".:".contains(c)));
            let address = address[..end.unwrap_or(address.len())].to_owned();
            // What follows is thrown away: a full pipe would stop the registry.
            std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
            return address;
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
