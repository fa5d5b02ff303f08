//! A window that is killed while somebody edits: the project and the copy of its edits can be read, whatever it was writing.
//!
//! It is killed a few times in every run. For more:
//! `PESO_KILLS=200 cargo nextest run --release --test window killed --no-capture`

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use eframe::egui::{Key, Modifiers, Theme};
use peso_workbench::project::Project;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::world::{PATIENCE, World, click, has, load, until, until_label};

/// Kills unless the environment says more.
const FEW: usize = 3;
/// The project that the child edits.
const FILE: &str = "PESO_TEST_EDITED";

/// Not a test: what a child process does until it is killed.
#[test]
#[ignore = "run by the other, in a process of its own"]
fn child() {
    let Some(file) = env::var_os(FILE).map(PathBuf::from) else { return };
    let copy = file.with_file_name(".project.ron.autosave");
    let world = World::new();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 2600.0].into());
    until_label(&mut window, "Synthetic drift demo");
    // It ends by itself where nobody is left to kill it.
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        click(&mut window, "More for PESO");
        click(&mut window, "Duplicate");
        until(&mut window, "a copy of the edits", |_| copy.is_file());
        window.key_press_modifiers(Modifiers::COMMAND, Key::S);
        until(&mut window, "a saved project", |window| !copy.exists() && !has(window, "Unsaved changes"));
        window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        until(&mut window, "a copy of what was taken back", |_| copy.is_file());
        window.key_press_modifiers(Modifiers::COMMAND, Key::S);
        until(&mut window, "a saved project", |window| !copy.exists() && !has(window, "Unsaved changes"));
    }
}

fn begin(file: &PathBuf) -> Child {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--ignored", "--exact", "killed::child"]).env(FILE, file);
    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn whenever_the_window_is_killed_the_project_and_its_edits_can_be_read() {
    let kills = env::var("PESO_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(FEW);
    let world = World::new();
    let file = world.demo();
    let copy = file.with_file_name(".project.ron.autosave");
    let experiments = load(&file).experiments.len();
    let mut random = ChaCha8Rng::seed_from_u64(20);
    let (mut with_copy, mut with_more) = (0, 0);
    for number in 0..kills {
        // What follows does not depend on how the kill before ended.
        let _ = std::fs::remove_file(&copy);
        world.demo();
        let mut child = begin(&file);
        let began = Instant::now();
        while !copy.exists() {
            assert!(child.try_wait().unwrap().is_none(), "kill {number}: the window ended by itself");
            assert!(began.elapsed() < PATIENCE, "kill {number}: nothing was edited");
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_secs_f64(random.random_range(0.0..4.0)));
        child.kill().unwrap();
        child.wait().unwrap();
        let now = load(&file).experiments.len();
        assert!([experiments, experiments + 1].contains(&now), "kill {number}: {now} experiments");
        with_more += usize::from(now > experiments);
        if copy.exists() {
            with_copy += 1;
            let text = std::fs::read_to_string(&copy).unwrap();
            Project::parse(&text, &file).unwrap_or_else(|error| panic!("kill {number}: {error}"));
        }
    }
    println!("{kills} kills: {with_copy} left a copy of edits, {with_more} an experiment more");
}
