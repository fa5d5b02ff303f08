//! What every reader makes of files that were spoilt at random: an error in words or a result, no panic, no long time, and
//! no more memory than a small file deserves.
//!
//! A few are tried in every run. For more of one kind, which fuzzing has a target for too (`scripts/fuzz`):
//! `PESO_MUTATIONS=2000000 PESO_SECONDS=600 cargo nextest run --test behaviour hostile_files::gguf --no-capture`

#[path = "../../fuzz/readers.rs"]
mod readers;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use peso_workbench::peak_memory;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use self::readers::{READERS, Reader};
use crate::runs;
use crate::spoil::spoilt;

/// Spoilt files a reader, unless the environment says more.
const FEW: usize = 120;
/// What reading a small file may take; a build without optimisation on a machine that does other things is given more.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });
/// What all of it may take in memory.
const MOST_MEMORY: u64 = 1 << 30;

/// A number of the environment, for whoever tries more than a few.
fn asked<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Has a reader read files that are spoilt, for `seconds` at most; what became of them, in words.
fn try_reader(reader: &Reader, most: usize, seconds: f64) -> String {
    let (root, folder) = (Path::new(env!("CARGO_MANIFEST_DIR")), tempfile::tempdir().unwrap());
    let path = reader.prepare(root, folder.path());
    let seeds: Vec<Vec<u8>> = reader.seeds.iter().map(|seed| fs::read(root.join(seed)).unwrap()).collect();
    for (seed, sound) in reader.seeds.iter().zip(&seeds) {
        fs::write(&path, sound).unwrap();
        (reader.read)(&path).unwrap_or_else(|error| panic!("{}: {seed} is sound: {error}", reader.name));
    }
    peak_memory::forget_peak();
    let before = peak_memory::peak_bytes();
    let (mut noticed, mut slowest, mut files, started) = (0, Duration::ZERO, 0, Instant::now());
    for number in 0..most {
        if started.elapsed().as_secs_f64() > seconds {
            break;
        }
        files += 1;
        let mut random = ChaCha8Rng::seed_from_u64(number as u64);
        let (mut bytes, mut how) = spoilt(&seeds[number % seeds.len()], &mut random);
        // Now and then a second time.
        if number % 3 == 0 {
            (bytes, how) = spoilt(&bytes, &mut random);
        }
        fs::write(&path, &bytes).unwrap();
        let shown = || format!("{}, file {number}: {how}", reader.name);
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| (reader.read)(&path)));
        let took = began.elapsed();
        assert!(took < LONGEST, "{}: {took:?}", shown());
        slowest = slowest.max(took);
        noticed += usize::from(outcome.unwrap_or_else(|_| panic!("{}: a panic", shown())).is_err());
    }
    let memory = peak_memory::peak_bytes().saturating_sub(before);
    assert!(memory < MOST_MEMORY, "{}: {} MiB", reader.name, memory >> 20);
    assert!(noticed > files / 50, "{}: {noticed} of {files} were noticed", reader.name);
    format!("{}: {noticed} of {files} noticed, {slowest:?} at most, {} MiB", reader.name, memory >> 20)
}

/// A test each, so that they run beside each other and one's fault is not another's.
macro_rules! readers {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            let reader = READERS.iter().find(|reader| reader.name == stringify!($name)).unwrap();
            let most = asked("PESO_MUTATIONS").unwrap_or(FEW);
            println!("{}", try_reader(reader, most, asked("PESO_SECONDS").unwrap_or(f64::INFINITY)));
        })*

        #[test]
        fn every_reader_has_its_test() {
            let names: Vec<&str> = READERS.iter().map(|reader| reader.name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

readers! {
    project marks peso_block peso_items peso_index recbole amazon_reviews amazon_ratings gzip zstd python_literals table parquet
    index id_manifest codebooks npy model_config model_variant safetensors safetensors_index gguf tokenizer adapter_config adapter
    run_config run_database checkpoint zip
}

#[cfg(unix)]
#[test]
fn links_in_a_run_lead_to_no_file_that_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = "(format: 1, name: \"Linked\", dataset: Synthetic(), base_model: Compact(), \
                experiments: [(name: \"Single\", method: Single)])";
    let project = runs::project(folder.path(), text);
    let run = runs::create(&project, "Single", &runs::learned(&project, "Single"), 1);
    for name in ["run.sqlite", "log.txt", "worker.lock"] {
        let (file, victim) = (run.path().join(name), folder.path().join(format!("of somebody else, {name}")));
        // A sound file elsewhere, as whoever sent the run would choose it.
        if file.exists() {
            fs::rename(&file, &victim).unwrap();
        } else {
            fs::write(&victim, "").unwrap();
        }
        let before = fs::read(&victim).unwrap();
        std::os::unix::fs::symlink(&victim, &file).unwrap();
        let refused = run.lock().map(drop).and_then(|()| run.writer().map(drop)).unwrap_err().to_string();
        assert!(refused.contains(name) && refused.contains("it is a link"), "{name}: {refused}");
        assert!(fs::read(&victim).unwrap() == before, "{name}");
        fs::remove_file(&file).unwrap();
        fs::rename(&victim, &file).unwrap();
    }
    run.writer().unwrap();
}
