//! A project as one zip, and a project made of a zip that anybody may have made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use peso_workbench::data::Protocol;
use peso_workbench::pack::{self, Agreement, Contents, Manifest, PackError, PackOptions, Packed, PackedFile};
use peso_workbench::project::Project;
use peso_workbench::project::file::DEMO;
use peso_workbench::run::observer::{CellIndex, Observer, StepRecord};
use peso_workbench::run::{RunFolder, Status};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::runs;

const MANIFEST: &str = "manifest.json";

/// A project of data that lie elsewhere, with a finished run, a stopped one, and what is no part of a pack.
fn project(folder: &Path, elsewhere: &Path) -> Project {
    fs::create_dir_all(folder.join("own")).unwrap();
    fs::write(folder.join("own/index.json"), r#"{"i1": ["<a_0>"], "i2": ["<a_1>"]}"#).unwrap();
    fs::write(elsewhere, "user,item,time\nu1,i1,1\nu1,i2,2\n").unwrap();
    let text = format!(
        "// A comment that is kept\n(format: 1, name: \"Handed over\", dataset: Table(path: {elsewhere:?}, columns: (user: \"user\", item: \"item\", \
         time: \"time\")), base_model: Compact(), semantic_ids: Index(\"own/index.json\"), experiments: [(name: \"Frozen\", method: \
         Frozen), (name: \"Single\", method: Single)])"
    );
    let project = runs::project(folder, &text);
    for (name, status) in [("Frozen", Status::Finished), ("Single", Status::Stopped)] {
        let run = runs::create(&project, name, &runs::learned(&project, name), 42);
        runs::hits(&run, Protocol::SameBlock, 7, 0);
        let _lock = run.lock().unwrap();
        run.set_control(peso_workbench::run::observer::Control::Stop).unwrap();
        fs::create_dir_all(run.checkpoint()).unwrap();
        fs::write(run.checkpoint().join("state.safetensors"), "a state").unwrap();
        fs::create_dir_all(run.adapter(1)).unwrap();
        fs::write(run.adapter(1).join("adapter_config.json"), "{}").unwrap();
        run.writer().unwrap().set_status(status, None).unwrap();
    }
    fs::create_dir_all(folder.join("runs/.trash/gone")).unwrap();
    fs::write(folder.join("runs/.trash/gone/run.ron"), "gone").unwrap();
    fs::write(folder.join("runs/.marks.ron"), "()").unwrap();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    project
}

fn packed(project: &Path, to: &Path, options: PackOptions) -> Packed {
    let contents = Contents::whole(project, options).unwrap();
    pack::pack(&contents, to, &mut |_| ControlFlow::Continue(())).unwrap()
}

fn unpacked(file: &Path, to: &Path) -> PathBuf {
    pack::unpack(file, to, &mut |_| ControlFlow::Continue(())).unwrap()
}

/// What an unpacking is refused with, and that it leaves nothing.
fn refusal(file: &Path) -> String {
    let folder = file.with_extension("unpacked");
    let refused = pack::unpack(file, &folder, &mut |_| ControlFlow::Continue(())).unwrap_err();
    let PackError::Input(error) = refused else { panic!("it was not ended") };
    let left: Vec<_> = fs::read_dir(file.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("unpacked"))
        .collect();
    assert!(left.is_empty(), "{left:?} is left behind");
    error.to_string()
}

fn names(manifest: &Manifest) -> Vec<&str> {
    manifest.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn a_project_is_packed_with_its_runs_and_opens_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data, zip) = (folder.path().join("home"), folder.path().join("data.csv"), folder.path().join("p.zip"));
    fs::create_dir(&home).unwrap();
    let project = project(&home, &data);
    let Packed { manifest, bytes } = packed(&home, &zip, PackOptions::default());
    assert_eq!(bytes, fs::metadata(&zip).unwrap().len());
    let runs: Vec<String> =
        RunFolder::list(&project.runs_dir(None)).iter().map(|run| run.config().run.clone()).collect();
    let of_run = |run: &String| {
        ["adapters/stage_1/adapter_config.json", "checkpoint/state.safetensors", "log.txt", "run.ron", "run.sqlite"]
            .map(|file| format!("runs/{run}/{file}"))
    };
    let mut expected: Vec<String> = runs.iter().flat_map(of_run).collect();
    expected.extend(["own/index.json", "project.ron", "runs/.marks.ron"].map(str::to_owned));
    expected.sort();
    assert_eq!(names(&manifest), expected, "without locks, control, trash and what is no part of it");
    let [outside] = &manifest.missing[..] else { panic!("{:?}", manifest.missing) };
    let whole = fs::read(&data).unwrap();
    assert_eq!(outside.path, data.display().to_string());
    assert_eq!(
        outside.files,
        [PackedFile { name: "data.csv".into(), bytes: whole.len() as u64, sha256: sha256(&whole) }]
    );

    // Elsewhere, where the data are not.
    fs::rename(&data, folder.path().join("kept.csv")).unwrap();
    let there = folder.path().join("elsewhere/project");
    let file = unpacked(&zip, &there);
    assert_eq!(fs::read_to_string(&file).unwrap(), fs::read_to_string(home.join("project.ron")).unwrap());
    let opened = Project::load(&file).unwrap();
    let there_runs = RunFolder::list(&opened.runs_dir(None));
    assert_eq!(there_runs.iter().map(|run| run.config().run.clone()).collect::<Vec<_>>(), runs);
    let status: Vec<Status> = there_runs.iter().map(RunFolder::status).collect();
    assert_eq!(status, [Status::Finished, Status::Stopped]);
    let at = CellIndex { protocol: Protocol::SameBlock, trained: 2, tested: 2 };
    let outcomes = |run: &RunFolder| run.reader().unwrap().user_outcomes(at).unwrap();
    let before = RunFolder::list(&project.runs_dir(None));
    assert_eq!(outcomes(&there_runs[0]), outcomes(&before[0]));
    assert_eq!(outcomes(&there_runs[0]).len(), 40);

    // What is missing is named, and found again.
    let missing = pack::missing(&opened);
    let [gone] = &missing[..] else { panic!("{missing:?}") };
    assert_eq!((gone.named.field, gone.expected.as_ref()), ("dataset", Some(outside)));
    let agreement = |found: &Path| pack::locate(&opened, gone, found, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(agreement(&folder.path().join("kept.csv")), Agreement::Same);
    let other = folder.path().join("other.csv");
    fs::write(&other, String::from_utf8(whole.clone()).unwrap().replace("u1", "u2")).unwrap();
    assert_eq!(agreement(&other), Agreement::Differs("the content of `data.csv` is another".into()));
    fs::write(&other, "user").unwrap();
    assert_eq!(agreement(&other), Agreement::Differs(format!("`data.csv` has 4 bytes instead of {}", whole.len())));
}

#[test]
fn data_from_elsewhere_come_along_where_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let (home, data, zip) = (folder.path().join("home"), folder.path().join("data.csv"), folder.path().join("p.zip"));
    fs::create_dir(&home).unwrap();
    project(&home, &data);
    let manifest = packed(&home, &zip, PackOptions { with_data: true }).manifest;
    assert!(names(&manifest).contains(&"data/data.csv") && manifest.missing.is_empty(), "{manifest:?}");
    fs::remove_file(&data).unwrap();
    let opened = Project::load(&unpacked(&zip, &folder.path().join("there"))).unwrap();
    assert_eq!(opened.dataset.path(), Some(Path::new("data/data.csv")));
    assert_eq!(pack::missing(&opened), []);
    // The runs name the same data, and are still the project's.
    for run in RunFolder::list(&opened.runs_dir(None)) {
        assert_eq!(run.config().project.dataset.path(), Some(Path::new("data/data.csv")));
        assert_eq!(
            peso_workbench::run::RunConfig::hash_now(&opened, &run.config().experiment),
            Some(run.config().config_hash.clone())
        );
    }
}

#[test]
fn the_same_project_is_the_same_bytes_but_for_the_moment() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    project(&home, &folder.path().join("data.csv"));
    let entries = |name: &str| {
        let zip = folder.path().join(name);
        packed(&home, &zip, PackOptions::default());
        let mut zip = ZipArchive::new(File::open(zip).unwrap()).unwrap();
        let count = zip.len();
        let entry = |index| {
            let mut entry = zip.by_index_raw(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().to_owned(), entry.last_modified(), entry.unix_mode(), bytes)
        };
        let mut entries: Vec<_> = (0..count).map(entry).collect();
        assert_eq!(entries.pop().unwrap().0, MANIFEST);
        entries
    };
    assert_eq!(entries("a.zip"), entries("b.zip"));
}

#[test]
fn a_worker_that_writes_meanwhile_is_packed_as_it_was_at_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let project = runs::project(folder.path(), DEMO);
    let run = runs::create(&project, "PESO", &runs::learned(&project, "PESO"), 1);
    let _lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    fs::create_dir_all(run.checkpoint()).unwrap();
    let state = run.checkpoint().join("state.safetensors");
    fs::write(&state, "the first").unwrap();
    let step = |step| StepRecord {
        phase: peso_workbench::run::observer::Phase::Train,
        stage: 1,
        epoch: 1,
        step,
        steps: 9,
        loss: 1.0,
        penalty: 0.0,
        penalty_share: 0.0,
        pull_ratio: 0.0,
        gradient_norm: 0.0,
        learning_rate: 0.0,
        examples: 1,
        seconds: 0.1,
    };
    writer.step(&step(1)).unwrap();
    writer.flush().unwrap();
    let contents = Contents::whole(folder.path(), PackOptions::default()).unwrap();
    // The worker goes on: its next state takes the place of this one, and its log is not yet in the file.
    writer.step(&step(2)).unwrap();
    writer.flush().unwrap();
    fs::write(folder.path().join("next"), "the second").unwrap();
    fs::rename(folder.path().join("next"), &state).unwrap();
    let zip = folder.path().join("p.zip");
    pack::pack(&contents, &zip, &mut |_| ControlFlow::Continue(())).unwrap();
    writer.step(&step(3)).unwrap();
    writer.flush().unwrap();
    let opened = Project::load(&unpacked(&zip, &folder.path().join("there"))).unwrap();
    let [there] = &RunFolder::list(&opened.runs_dir(None))[..] else { panic!("one run") };
    assert_eq!(fs::read_to_string(there.checkpoint().join("state.safetensors")).unwrap(), "the first");
    assert_eq!(there.reader().unwrap().steps_after(0).unwrap().len(), 2, "what was committed, without the log's file");
    assert!(there.writer().unwrap().flush().is_ok(), "a worker can go on with it");
}

#[test]
fn who_ends_it_keeps_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    runs::project(folder.path(), DEMO);
    let zip = folder.path().join("p.zip");
    fs::write(&zip, "mine").unwrap();
    let contents = Contents::whole(folder.path(), PackOptions::default()).unwrap();
    let ended = pack::pack(&contents, &zip, &mut |_| ControlFlow::Break(()));
    assert!(matches!(ended, Err(PackError::Cancelled)));
    assert_eq!(fs::read_to_string(&zip).unwrap(), "mine");
    packed(folder.path(), &zip, PackOptions::default());
    let ended = pack::unpack(&zip, &folder.path().join("there"), &mut |_| ControlFlow::Break(()));
    assert!(matches!(ended, Err(PackError::Cancelled)));
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A zip as somebody may have made it: of these files, of which the manifest says what `says` makes of the truth.
struct Foreign {
    files: Vec<(&'static str, Vec<u8>)>,
    says: fn(&mut BTreeMap<String, PackedFile>),
    format: u32,
}

impl Foreign {
    fn of(name: &'static str, bytes: &[u8]) -> Self {
        let project = ("project.ron", DEMO.as_bytes().to_vec());
        Self { files: vec![project, (name, bytes.to_vec())], says: |_| {}, format: 1 }
    }

    fn saying(self, says: fn(&mut BTreeMap<String, PackedFile>)) -> Self {
        Self { says, ..self }
    }

    fn write(&self, path: &Path) {
        let mut zip = ZipWriter::new(File::create(path).unwrap());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let mut files = BTreeMap::new();
        for (name, bytes) in &self.files {
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
            let file = PackedFile { name: (*name).to_owned(), bytes: bytes.len() as u64, sha256: sha256(bytes) };
            files.insert((*name).to_owned(), file);
        }
        (self.says)(&mut files);
        let manifest = Manifest {
            format: self.format,
            program: "0.1.0".into(),
            project: "Foreign".into(),
            project_file: "project.ron".into(),
            packed_unix: 0,
            packed: String::new(),
            read_only: false,
            files: files.into_values().collect(),
            missing: Vec::new(),
        };
        zip.start_file(MANIFEST, options).unwrap();
        zip.write_all(&serde_json::to_vec(&manifest).unwrap()).unwrap();
        zip.finish().unwrap();
    }
}

#[test]
fn hostile_zips_are_refused_with_the_reason_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, foreign: &Foreign| {
        let path = folder.path().join(format!("{name}.zip"));
        foreign.write(&path);
        refusal(&path)
    };
    let says = |text: String, words: &str| assert!(text.contains(words), "{text}");
    says(refused("up", &Foreign::of("../evil", b"x")), "leads out of the folder: `../evil`");
    says(refused("root", &Foreign::of("/etc/evil", b"x")), "is absolute");
    says(refused("drive", &Foreign::of("C:evil", b"x")), "is absolute, or has a drive");
    says(refused("back", &Foreign::of("runs\\evil", b"x")), "backslash");
    says(refused("case", &Foreign::of("Project.RON", b"x")), "cannot be told apart on every system");
    says(refused("within", &Foreign::of("project.ron/x", b"x")), "cannot be told apart on every system");
    says(
        refused("unsaid", &Foreign::of("extra", b"x").saying(|files| _ = files.remove("extra"))),
        "`extra` does not stand in its manifest",
    );
    let other = |files: &mut BTreeMap<String, PackedFile>| files.get_mut("extra").unwrap().sha256 = "0".repeat(64);
    says(refused("hash", &Foreign::of("extra", b"x").saying(other)), "`extra` is not what the manifest says");
    let larger = |files: &mut BTreeMap<String, PackedFile>| files.get_mut("extra").unwrap().bytes = 7;
    says(refused("size", &Foreign::of("extra", b"x").saying(larger)), "`extra` is not as large as the manifest says");
    let absent = |files: &mut BTreeMap<String, PackedFile>| {
        let file = files["extra"].clone();
        files.insert("more".into(), PackedFile { name: "more".into(), ..file });
    };
    says(refused("absent", &Foreign::of("extra", b"x").saying(absent)), "`more` is missing in it");
    says(refused("later", &Foreign { format: 2, ..Foreign::of("extra", b"x") }), "it is packed in format 2");
    let broken = Foreign { files: vec![("project.ron", b"(format: 1".to_vec())], ..Foreign::of("x", b"") };
    says(refused("broken", &broken), "project.ron");
    // 300 MiB of nothing in some 300 KiB.
    says(refused("bomb", &Foreign::of("bomb", &vec![0; 300 << 20])), "would grow to");
}

#[test]
fn a_zip_that_lies_about_its_sizes_is_refused_while_it_is_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lie.zip");
    let declared = |files: &mut BTreeMap<String, PackedFile>| files.get_mut("grows").unwrap().bytes = 3;
    Foreign::of("grows", &vec![7; 100_000]).saying(declared).write(&path);
    // Both the directory and the file's own head say 3 bytes, as the manifest does.
    let mut bytes = fs::read(&path).unwrap();
    let size = 100_000_u32.to_le_bytes();
    let places: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..at + 4] == size).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| bytes[at..at + 4].copy_from_slice(&3_u32.to_le_bytes()));
    fs::write(&path, bytes).unwrap();
    let said = refusal(&path);
    assert!(
        said.contains("`grows` is not as large as the manifest says") || said.contains("`grows` is damaged"),
        "{said}"
    );
}

#[test]
fn links_doubles_and_what_was_cut_off_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("link.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    let manifest = r#"{"format": 1, "program": "", "project": "", "project_file": "project.ron", "packed_unix": 0, "packed": "",
        "files": [{"name": "project.ron", "bytes": 11, "sha256": ""}]}"#;
    zip.start_file(MANIFEST, SimpleFileOptions::default()).unwrap();
    zip.write_all(manifest.as_bytes()).unwrap();
    zip.add_symlink("project.ron", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    let said = refusal(&path);
    assert!(said.contains("`project.ron` is a link"), "{said}");

    // Two files of one name: another name, of the same length, is overwritten in the bytes.
    let path = folder.path().join("double.zip");
    Foreign::of("project.rom", DEMO.as_bytes()).saying(|files| _ = files.remove("project.rom")).write(&path);
    let mut bytes = fs::read(&path).unwrap();
    let places: Vec<usize> = (0..bytes.len() - 11).filter(|&at| &bytes[at..at + 11] == b"project.rom").collect();
    places.into_iter().for_each(|at| bytes[at + 10] = b'n');
    fs::write(&path, bytes).unwrap();
    let said = refusal(&path);
    assert!(said.contains("two of its files have one name"), "{said}");

    let path = folder.path().join("cut.zip");
    Foreign::of("extra", &vec![1; 10_000]).write(&path);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 30]).unwrap();
    let said = refusal(&path);
    assert!(said.contains("not a zip file, or one that was cut off"), "{said}");
    // A byte in the middle of a file.
    let mut damaged = whole;
    damaged[60] ^= 0xff;
    fs::write(&path, damaged).unwrap();
    let said = refusal(&path);
    assert!(said.contains("`project.ron`") && said.contains("damaged"), "{said}");
    fs::write(&path, "no zip at all").unwrap();
    assert!(refusal(&path).contains("not a zip file"));
    let empty = ZipWriter::new(File::create(&path).unwrap());
    empty.finish().unwrap();
    assert!(refusal(&path).contains("it has no `manifest.json`"));
}

#[test]
fn nothing_is_unpacked_over_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.zip");
    Foreign::of("extra", b"x").write(&path);
    let there = folder.path().join("there");
    fs::create_dir(&there).unwrap();
    fs::write(there.join("mine"), "mine").unwrap();
    let refused = pack::unpack(&path, &there, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(refused, PackError::Input(error) if error.problem == "there is something already"));
    assert_eq!(fs::read_to_string(there.join("mine")).unwrap(), "mine");
}
