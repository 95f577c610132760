//! How servers are spoken to.

use super::*;

fn one(repositories: &Repositories) -> Repository {
    let repository = repositories.make("r");
    repository.write("file", "first");
    repository.commit("first");
    repository.write("file", "second");
    repository.commit("second");
    repository
}

fn content(checked: &Checked) -> String {
    fs::read_to_string(checked.files().join("file")).unwrap()
}

#[test]
fn both_versions_of_the_protocol_are_spoken_over_http() {
    let repositories = Repositories::new();
    let repository = one(&repositories);
    let first = repository.git(&["rev-parse", "HEAD~1"]);
    for old in [false, true] {
        let server = server::http(repositories.root(), Http { old, ..Http::default() });
        let url = format!("http://{}/r.git", server.address);
        assert_eq!(content(&check_out(&op(&url))), "second");
        // An old server does not part with it alone.
        let by_id = GitOp { reference: Some(first.clone()), ..op(&url) };
        assert_eq!(content(&check_out(&by_id)), "first", "{old}");
        let none = GitOp { reference: Some("1".repeat(40)), ..op(&url) };
        assert!(matches!(refused(&none), GitError::NoCommit { .. }));
    }
}

#[test]
fn who_asks_is_told_to_the_server_that_it_is_for() {
    let repositories = Repositories::new();
    one(&repositories);
    let token = "Basic eC1hY2Nlc3MtdG9rZW46aHVudGVyMg==".to_owned();
    let server =
        server::http(repositories.root(), Http { authorization: Some(token), ..Http::default() });
    let url = format!("http://{}/r.git", server.address);
    let error = refused(&op(&url));
    assert!(matches!(error, GitError::CredentialsNeeded { .. }), "{error}");
    assert!(error.to_string().contains("--secret id=GIT_AUTH_TOKEN"), "{error}");
    let host = format!("GIT_AUTH_TOKEN.{}", server.address);
    for caller in [Caller::secret("GIT_AUTH_TOKEN", "hunter2\n"), Caller::secret(&host, "hunter2")]
    {
        assert_eq!(content(&caller.check_out(&op(&url))), "second");
    }
    let named = format!("http://x-access-token:hunter2@{}/r.git", server.address);
    let kept = check_out(&GitOp { keep_git_dir: true, ..op(&named) });
    assert_eq!(content(&kept), "second");
    let config = fs::read_to_string(kept.files().join(".git/config")).unwrap();
    assert!(config.contains(&url) && !config.contains("hunter2"), "{config}");
    let error = Caller::secret("GIT_AUTH_HEADER", "Bearer hunter3").refused(&op(&url));
    assert!(matches!(error, GitError::CredentialsRefused { .. }), "{error}");
    assert!(!format!("{error:?}").contains("hunter3"), "{error:?}");
    assert!(error.to_string().contains("`GIT_AUTH_HEADER`"), "{error}");
    let error = Caller::secret("GIT_AUTH_HEADER", "two\nlines").refused(&op(&url));
    assert!(matches!(error, GitError::Secret { .. }), "{error}");
}

#[test]
fn credentials_do_not_follow_to_another_server() {
    let repositories = Repositories::new();
    let other = one(&repositories);
    let elsewhere = server::http(repositories.root(), Http::default());
    let outer = repositories.make("outer");
    let url = format!("http://{}/r.git", elsewhere.address);
    outer.git(&["submodule", "--quiet", "add", &url, "sub"]);
    outer.commit("outer");
    let server = server::http(repositories.root(), Http::default());
    elsewhere.requests.lock().unwrap().clear();
    let caller = Caller::secret("GIT_AUTH_TOKEN", "hunter2");
    caller.check_out(&op(&format!("http://{}/outer.git", server.address)));
    assert!(server.requests.lock().unwrap().iter().all(|line| line.ends_with(" authorized")));
    let seen = std::mem::take(&mut *elsewhere.requests.lock().unwrap());
    assert!(!seen.is_empty() && seen.iter().all(|line| !line.contains("authorized")), "{seen:?}");

    let redirect = Some(format!("http://{}", elsewhere.address));
    let server = server::http(repositories.root(), Http { redirect, ..Http::default() });
    let checked = caller.check_out(&op(&format!("http://{}/r.git", server.address)));
    assert_eq!(content(&checked), "second");
    let seen = elsewhere.requests.lock().unwrap();
    assert!(seen.len() >= 2 && seen.iter().all(|line| !line.contains("authorized")), "{seen:?}");
    // What follows goes where the first was redirected to.
    assert_eq!(server.requests.lock().unwrap().len(), 1);
    drop(other);
}

#[test]
fn what_may_pass_is_tried_again() {
    let repositories = Repositories::new();
    one(&repositories);
    let server = server::http(repositories.root(), Http { failures: 2, ..Http::default() });
    assert_eq!(content(&check_out(&op(&format!("http://{}/r.git", server.address)))), "second");
    let server = server::http(repositories.root(), Http { failures: 9, ..Http::default() });
    let error = refused(&op(&format!("http://u:hunter2@{}/r.git", server.address)));
    assert!(matches!(error, GitError::Status { .. }), "{error}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(server.requests.lock().unwrap().len(), 4);
}

#[test]
fn what_a_server_says_is_passed_on() {
    let repositories = Repositories::new();
    let address = server::daemon(repositories.root());
    let error = refused(&op(&format!("git://{address}/none.git")));
    assert!(chain(&error).contains("no such repository"), "{}", chain(&error));
    repositories.make("empty");
    let error = refused(&op(&format!("git://{address}/empty.git")));
    assert!(matches!(error, GitError::NoDefault { .. }), "{error}");
    let error = refused(&op("git://127.0.0.1:1/r.git"));
    assert!(matches!(error, GitError::Transfer { .. }), "{error}");
}

#[test]
fn a_cancelled_fetch_ends() {
    let caller = Caller::default();
    // Nobody ever answers here.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = caller.cancel.clone();
    let accept = std::thread::spawn(move || {
        let stream = listener.accept().unwrap();
        cancel.cancel();
        stream
    });
    let error = caller.refused(&op(&format!("git://{address}/r.git")));
    assert!(matches!(error, GitError::Cancelled { .. }), "{error}");
    drop(accept.join().unwrap());
}

#[test]
fn ssh_asks_the_agent_and_knows_its_servers() {
    let repositories = Repositories::new();
    one(&repositories);
    let keys = repositories.path("keys");
    fs::create_dir(&keys).unwrap();
    for name in ["host", "user", "other"] {
        let mut command = Command::new("ssh-keygen");
        run(command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(keys.join(name)));
    }
    let address = server::sshd(&keys);
    let path = repositories.path("r.git");
    let url = format!("ssh://root@{address}{}", path.display());
    let error = refused(&op(&url));
    assert!(matches!(error, GitError::NoAgent { .. }), "{error}");

    let agent = Agent::start(&keys);
    let mut caller = Caller { agent: Some(agent.socket.clone()), ..Caller::default() };
    assert_eq!(content(&caller.check_out(&op(&url))), "second");

    let key = fs::read_to_string(keys.join("host.pub")).unwrap();
    let wrong = fs::read_to_string(keys.join("other.pub")).unwrap();
    let port = address.rsplit(':').next().unwrap();
    let known = keys.join("known hosts");
    fs::write(&known, format!("[127.0.0.1]:{port} {key}")).unwrap();
    caller.known_hosts = Some(known.clone());
    assert_eq!(content(&caller.check_out(&op(&url))), "second");
    fs::write(&known, format!("[127.0.0.1]:{port} {wrong}")).unwrap();
    let error = caller.refused(&op(&url));
    assert!(error.to_string().contains("verification failed"), "{error}");

    caller.known_hosts = None;
    let error = caller.refused(&op(&format!("{url}x")));
    assert!(error.to_string().contains("does not appear to be a git repository"), "{error}");
}
