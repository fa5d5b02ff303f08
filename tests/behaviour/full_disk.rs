//! A disk of a few megabytes that a run fills: it stops cleanly, and goes on when there is room.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::training::without_times;

const PROJECT: &str = r#"(
    format: 1,
    name: "Full",
    dataset: Synthetic(users: 60, items: 40, stages: 2, codes: 6, interactions: (6.0, 5.0)),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, lora: (rank: 2)),
    evaluation: (beams: 5, k: [5]),
    experiments: [(name: "PESO", method: Peso())],
    seeds: [1],
)"#;

/// Mounts a disk at `$1`, fills it when a run has begun whose folder's name begins with `$2`, makes room and runs again. What
/// is said lies in the folder `$3`.
const SCRIPT: &str = r#"
set -eu
mount -t tmpfs -o size=8m none "$1"
cp "$3/project.ron" "$1"
"$0" run "$1" --device cpu --checkpoint-every 0 > "$3/said" 2>&1 &
worker=$!
until ls -d "$1/runs/$2"* > /dev/null 2>&1; do kill -0 $worker; sleep 0.01; done
cat /dev/zero > "$1/filler" 2> /dev/null || true
if wait $worker; then echo "the run was done before the disk was full" >&2; exit 1; fi
"$0" status "$1" --json > "$3/status"
rm "$1/filler"
"$0" run "$1" --device cpu --checkpoint-every 0 >&2
"$0" results "$1" --json
find "$1" -name '.*.tmp' > "$3/left"
"#;

fn peso(folder: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn numbers(output: &Output) -> Value {
    let mut results = serde_json::from_slice(&output.stdout).unwrap();
    without_times(&mut results);
    results
}

#[test]
fn a_run_that_fills_the_disk_stops_cleanly_and_goes_on_when_there_is_room() {
    let may_mount = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !may_mount.is_ok_and(|tried| tried.status.success()) {
        println!("not tried: this user may not mount a disk of their own");
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    let sound = outside.path().join("sound");
    fs::create_dir(&sound).unwrap();
    fs::write(sound.join("project.ron"), PROJECT).unwrap();
    peso(&sound, &["run", ".", "--device", "cpu"]);
    let expected = numbers(&peso(&sound, &["results", ".", "--json"]));
    for part in ["popularity", "shared-base", "peso", "shared-stage1"] {
        let said = outside.path().join(part);
        let disk = said.join("disk");
        fs::create_dir_all(&disk).unwrap();
        fs::write(said.join("project.ron"), PROJECT).unwrap();
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", SCRIPT, env!("CARGO_BIN_EXE_peso")]).arg(&disk);
        command.arg(part).arg(&said);
        let output = command.output().unwrap();
        let all = String::from_utf8_lossy(&output.stderr).into_owned();
        let told = fs::read_to_string(said.join("said")).unwrap_or_default();
        assert!(output.status.success(), "{part}: {all}\n{told}");
        assert!(told.contains("the disk is full"), "{part}: {told}");
        assert!(told.contains(&*disk.to_string_lossy()), "{part}: {told}");
        assert_eq!(fs::read_to_string(said.join("left")).unwrap(), "", "{part}");
        let status = fs::read_to_string(said.join("status")).unwrap();
        assert!(!status.contains("\"running\""), "{part}: {status}");
        assert_eq!(numbers(&output), expected, "{part}");
    }
}
