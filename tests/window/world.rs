//! A window without a desktop: scripted dialogs, a launcher in the test's hands, temporary folders, a stopped clock.

use std::cell::RefCell;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use eframe::egui;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::dialogs::desktop::{FileDialog, FileDialogs};
use peso_workbench::app::launcher::{Ended, EstimateRequest, ExecutableLauncher, JobHandle, Launcher};
use peso_workbench::app::telling::Teller;
use peso_workbench::app::{Services, Workbench};
use peso_workbench::budget::estimate::Estimate;
use peso_workbench::error::InputError;
use peso_workbench::project::Project;
use peso_workbench::project::file::DEMO;
use peso_workbench::run::on_finished::{Occasion, OnFinished};
use peso_workbench::run::queue::{Queue, QueueWorker};

use crate::fixture;

/// How long a test waits for the background, or for a worker, before it fails.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Answers each question with the next path of its script; after the last with nothing, as a desktop without dialogs.
#[derive(Default)]
pub struct ScriptedDialogs {
    pub answers: Mutex<Vec<PathBuf>>,
    pub asked: Mutex<Vec<FileDialog>>,
    /// Folders that the file manager was asked for.
    pub shown: Mutex<Vec<PathBuf>>,
}

impl FileDialogs for ScriptedDialogs {
    fn ask(&self, question: &FileDialog) -> Option<PathBuf> {
        self.asked.lock().unwrap().push(question.clone());
        let mut answers = self.answers.lock().unwrap();
        (!answers.is_empty()).then(|| answers.remove(0))
    }

    fn show_folder(&self, folder: &Path) -> Result<(), InputError> {
        self.shown.lock().unwrap().push(folder.to_path_buf());
        Ok(())
    }
}

/// Keeps what users were told.
#[derive(Default)]
pub struct KeptTeller {
    /// Messages of notifications.
    pub notified: Mutex<Vec<String>>,
    /// Events and messages that the command was run with.
    pub ran: Mutex<Vec<(&'static str, String)>>,
    /// What a desktop without notifications says.
    pub silent: Mutex<Option<String>>,
}

impl Teller for KeptTeller {
    fn notify(&self, _: &str, message: &str) -> Result<(), String> {
        self.notified.lock().unwrap().push(message.to_owned());
        self.silent.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    fn run(&self, _: &OnFinished, _: &Path, occasion: Occasion, message: &str) -> Result<(), InputError> {
        self.ran.lock().unwrap().push((occasion.key(), message.to_owned()));
        if message.contains("failed") {
            Err(InputError::new("command", "it ended with exit status: 1"))
        } else {
            Ok(())
        }
    }
}

/// Tells the test of every worker that is to be started, and ends it when the test says so.
pub struct HeldLauncher {
    started: Mutex<mpsc::Sender<PathBuf>>,
    endings: Mutex<mpsc::Receiver<Ended>>,
    asked: Mutex<mpsc::Sender<EstimateRequest>>,
    estimates: Mutex<mpsc::Receiver<Estimate>>,
}

impl Launcher for HeldLauncher {
    fn run(&self, project: &Path) -> Result<Ended, InputError> {
        self.started.lock().unwrap().send(project.to_path_buf()).unwrap();
        // A test that is over hangs up.
        let over = Ended { code: Some(130), last_words: String::new() };
        Ok(self.endings.lock().unwrap().recv().unwrap_or(over))
    }

    fn estimate(&self, request: &EstimateRequest) -> Result<Option<Estimate>, InputError> {
        self.asked.lock().unwrap().send(request.clone()).unwrap();
        let estimates = self.estimates.lock().unwrap();
        loop {
            match estimates.recv_timeout(Duration::from_millis(10)) {
                Ok(estimate) => return Ok(Some(estimate)),
                Err(mpsc::RecvTimeoutError::Timeout) if !request.cancelled.load(Ordering::SeqCst) => {}
                Err(_) => return Ok(None),
            }
        }
    }

    fn compute(&self, _: &[OsString], job: &JobHandle) -> Result<Ended, InputError> {
        job.say("stage 2/5 · train 40 %");
        let start = Instant::now();
        while !job.is_cancelled() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Ended { code: None, last_words: String::new() })
    }

    fn converse(
        &self,
        _: &[OsString],
        orders: mpsc::Receiver<String>,
        _: &JobHandle,
        _: &(dyn Fn(String) + Sync),
    ) -> Result<Ended, InputError> {
        // It hears and says nothing until nobody orders any more.
        while orders.recv().is_ok() {}
        Ok(Ended { code: Some(0), last_words: String::new() })
    }
}

/// A window with its world.
pub struct World {
    pub folder: tempfile::TempDir,
    pub dialogs: Arc<ScriptedDialogs>,
    pub teller: Arc<KeptTeller>,
    /// The projects that workers were started for.
    pub started: mpsc::Receiver<PathBuf>,
    pub endings: mpsc::Sender<Ended>,
    /// What was asked to be estimated.
    pub asked: mpsc::Receiver<EstimateRequest>,
    pub estimates: mpsc::Sender<Estimate>,
    launcher: Arc<dyn Launcher>,
}

impl World {
    pub fn new() -> Self {
        let (started_in, started) = mpsc::channel();
        let (endings, endings_out) = mpsc::channel();
        let (asked_in, asked) = mpsc::channel();
        let (estimates, estimates_out) = mpsc::channel();
        let launcher = HeldLauncher {
            started: Mutex::new(started_in),
            endings: Mutex::new(endings_out),
            asked: Mutex::new(asked_in),
            estimates: Mutex::new(estimates_out),
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            dialogs: Arc::default(),
            teller: Arc::default(),
            started,
            endings,
            asked,
            estimates,
            launcher: Arc::new(launcher),
        }
    }

    /// A world whose launcher starts the real program.
    pub fn with_real_workers() -> Self {
        let executable = env!("CARGO_BIN_EXE_peso").into();
        Self { launcher: Arc::new(ExecutableLauncher { executable, device: "cpu".to_owned() }), ..Self::new() }
    }

    pub fn services(&self) -> Services {
        Services {
            dialogs: Arc::clone(&self.dialogs) as Arc<dyn FileDialogs>,
            launcher: Arc::clone(&self.launcher),
            teller: Arc::clone(&self.teller) as Arc<dyn Teller>,
            configuration_folder: Some(self.folder.path().join("configuration")),
            crash_folder: Some(self.folder.path().join("crashes")),
            documents_folder: self.folder.path().join("documents"),
            clock: || fixture::STARTED + 90,
        }
    }

    /// Waits until a worker is started, and is that worker.
    #[track_caller]
    pub fn worker(&self, window: &mut Harness<'_, Workbench>) -> QueueWorker {
        let file = RefCell::new(None);
        until(window, "a worker that is started", |_| {
            *file.borrow_mut() = self.started.try_recv().ok();
            file.borrow().is_some()
        });
        let file = file.into_inner().expect("a worker was started");
        let queue = Queue::new(&load(&file).runs_dir(None));
        queue.work().unwrap().expect("no other worker is alive")
    }

    /// Lets the next window without a project begin on the start page, as a user sets it who wants that.
    pub fn begin_on_the_start_page(&self) {
        let file = self.folder.path().join("configuration/settings.ron");
        let settings = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, settings.replace("reopen_last: true", "reopen_last: false")).unwrap();
    }

    /// Waits until an estimate is asked for.
    #[track_caller]
    pub fn asked(&self, window: &mut Harness<'_, Workbench>) -> EstimateRequest {
        let request = RefCell::new(None);
        until(window, "an estimate that is asked for", |_| {
            *request.borrow_mut() = self.asked.try_recv().ok();
            request.borrow().is_some()
        });
        request.into_inner().expect("an estimate was asked for")
    }

    /// The demo project with a part of its text replaced.
    pub fn demo_with(&self, from: &str, to: &str) -> PathBuf {
        let file = self.demo();
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "the demo has no {from}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        file
    }

    /// The demo project, written where the tests of an open project expect it.
    pub fn demo(&self) -> PathBuf {
        let folder = self.folder.path().join("demo");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("project.ron"), DEMO).unwrap();
        folder.join("project.ron")
    }

    /// A window of 1280 x 800 on a project, or on the start page.
    pub fn window(&self, theme: egui::Theme, project: Option<&Path>) -> Harness<'static, Workbench> {
        let services = self.services();
        let project = project.map(Path::to_path_buf);
        let mut window = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_theme(theme)
            .with_max_steps(64)
            .wgpu()
            .build_eframe(move |context| Workbench::new(&context.egui_ctx, services, project));
        let system = Some(theme);
        window.input_mut().system_theme = system;
        window
    }
}

/// Reads a project that a test has written.
pub fn load(file: &Path) -> Project {
    Project::load(file).unwrap()
}

/// Draws frames until `reached`, or fails.
#[track_caller]
pub fn until(window: &mut Harness<'_, Workbench>, what: &str, reached: impl Fn(&Harness<'_, Workbench>) -> bool) {
    until_within(window, PATIENCE, what, reached);
}

/// As [`until`], for what may take so long.
#[track_caller]
pub fn until_within(
    window: &mut Harness<'_, Workbench>,
    patience: Duration,
    what: &str,
    reached: impl Fn(&Harness<'_, Workbench>) -> bool,
) {
    let start = Instant::now();
    loop {
        window.step();
        if reached(window) {
            return;
        }
        assert!(start.elapsed() < patience, "never came: {what}; there is:\n{}", everything(window));
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// All that can be read in the window, for the message of a test that failed.
fn everything(window: &Harness<'_, Workbench>) -> String {
    let labels = window.root().children_recursive().filter_map(|node| {
        let node = node.accesskit_node();
        node.label().or_else(|| node.value())
    });
    labels.collect::<Vec<_>>().join("\n")
}

/// Whether something with this label is there.
pub fn has(window: &Harness<'_, Workbench>, label: &str) -> bool {
    window.query_all_by_label(label).next().is_some()
}

/// Whether something is there whose label has this part.
pub fn has_part(window: &Harness<'_, Workbench>, part: &str) -> bool {
    window.query_all_by_label_contains(part).next().is_some()
}

/// Draws frames until something with this label is there.
#[track_caller]
pub fn until_label(window: &mut Harness<'_, Workbench>, label: &str) {
    until(window, label, |window| has(window, label));
}

/// Draws frames until something is there whose label has this part.
#[track_caller]
pub fn until_part(window: &mut Harness<'_, Workbench>, part: &str) {
    until(window, part, |window| has_part(window, part));
}

/// Waits for a widget of this label and clicks it: a button, if there is one among them.
#[track_caller]
pub fn click(window: &mut Harness<'_, Workbench>, label: &str) {
    until_label(window, label);
    let button = window.query_all_by_role_and_label(Role::Button, label).next();
    button.or_else(|| window.query_all_by_label(label).next()).unwrap().click();
    window.step();
    window.step();
}

/// Chooses an entry of a combo box.
#[track_caller]
pub fn choose(window: &mut Harness<'_, Workbench>, combo: &str, option: &str) {
    until(window, combo, |window| window.query_by_role_and_label(Role::ComboBox, combo).is_some());
    window.get_by_role_and_label(Role::ComboBox, combo).click();
    window.step();
    window.step();
    click(window, option);
}
