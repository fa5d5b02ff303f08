//! The script of a job.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::plan::{Job, Layer};
use crate::device::DeviceChoice;

/// What all jobs of a submission have in common.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program, as the nodes find it.
    pub peso: PathBuf,
    /// The project, as the user named it.
    pub project: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// Where the run folders lie, which all nodes see.
    pub runs_dir: PathBuf,
    pub device: DeviceChoice,
    pub fresh: bool,
    pub partition: Option<String>,
    pub account: Option<String>,
    /// As Slurm reads it: `1`, `a100:1`.
    pub gpus: Option<String>,
    /// Cores a task.
    pub cores: usize,
    /// As Slurm reads it: `2:00:00`; from the estimate where it is none.
    pub time: Option<String>,
    /// As Slurm reads it: `8G`; from the estimate where it is none.
    pub memory: Option<String>,
    /// Tasks at once.
    pub at_once: Option<usize>,
    /// Other options of `sbatch`, as they are.
    pub options: Vec<String>,
}

/// How long before its time is over a task is told to save its state. Slurm may be a minute early.
const GRACE_SECONDS: u32 = 120;
/// How often a task goes on after it was cut off: one that comes to nothing in all its time would go on for ever.
const MOST_RESTARTS: u32 = 100;
const MIB: u64 = 1 << 20;

impl Setup {
    /// Folder of scripts and logs, beside the runs.
    pub fn scripts(&self) -> PathBuf {
        self.runs_dir.join("slurm")
    }

    /// The script of a job, without what it waits for.
    pub fn script(&self, job: &Job) -> String {
        let mut text = "#!/bin/bash\n".to_owned();
        for option in self.directives(job) {
            let _ = writeln!(text, "#SBATCH {option}");
        }
        text += &self.work(job);
        text
    }

    fn directives(&self, job: &Job) -> Vec<String> {
        let log = if job.runs.is_empty() { "%x-%j.log" } else { "%x-%A_%a.log" };
        // The folder's own percent signs are no patterns.
        let log = quoted(&format!("{}/{log}", self.scripts().display().to_string().replace('%', "%%")));
        let at_once = self.at_once.map(|tasks| format!("%{tasks}")).unwrap_or_default();
        let time = self.time.clone().or_else(|| job.seconds.filter(|_| self.gpus.is_none()).map(time_for));
        let memory = self.memory.clone().or_else(|| job.peak_memory_bytes.map(memory_for));
        let wish = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{name}={value}"));
        let array = (!job.runs.is_empty()).then(|| format!("--array=0-{}{at_once}", job.tasks() - 1));
        let fixed = [
            format!("--job-name={}", job.name),
            format!("--chdir={}", quoted(&self.folder.display().to_string())),
            format!("--output={log}"),
            "--open-mode=append".to_owned(),
            "--requeue".to_owned(),
            format!("--signal=B:TERM@{GRACE_SECONDS}"),
            "--ntasks=1".to_owned(),
            format!("--cpus-per-task={}", self.cores),
        ];
        let wishes = [
            array,
            wish("partition", &self.partition),
            wish("account", &self.account),
            wish("gpus", &self.gpus),
            wish("time", &time),
            wish("mem", &memory),
        ];
        fixed.into_iter().chain(wishes.into_iter().flatten()).chain(self.options.iter().cloned()).collect()
    }

    /// What a task does: the command, and what becomes of it when its time is over or others need the node.
    fn work(&self, job: &Job) -> String {
        let (peso, project) = (word(&self.peso), word(&self.project));
        let mut command = match job.layer {
            Layer::Ids => format!("{peso} semantic-ids {project} --device {}", self.device),
            _ => format!(
                "{peso} run {project} --run \"$run\" --device {} --out {} --worker",
                self.device,
                word(&self.runs_dir)
            ),
        };
        match job.layer {
            Layer::Base => command += " --shared base",
            Layer::FirstStage => command += " --shared stage1",
            // Only at the first start: what a task had done before it was cut off is not done again.
            Layer::Runs | Layer::Combined if self.fresh => command += " $fresh",
            _ => {}
        }
        let mut text = String::new();
        if !job.runs.is_empty() {
            let ids: Vec<_> = job.runs.iter().map(|run| shell_words::quote(run)).collect();
            let _ = write!(text, "\nruns=(\n  {}\n)\nrun=${{runs[$SLURM_ARRAY_TASK_ID]}}\n", ids.join("\n  "));
        }
        if self.fresh {
            text += "[ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ] || fresh=--fresh\n";
        }
        let _ = write!(
            text,
            r#"
export RAYON_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-{cores}}}
echo "$(date -Is) on $(hostname), start $((${{SLURM_RESTART_COUNT:-0}} + 1))"
{command} &
worker=$!
# Slurm says that the time is nearly over, or that others need the node: the worker saves its state and ends with status 130.
trap 'asked=yes; kill -TERM "$worker"' TERM
wait "$worker"
status=$?
# A signal ends the wait before the worker ends.
while kill -0 "$worker" 2>/dev/null; do
  wait "$worker"
  status=$?
done
# Back into the queue, from where it goes on to the same numbers; a job that was cancelled or that Slurm requeues itself is left alone.
job=${{SLURM_ARRAY_JOB_ID:+${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID}}
job=${{job:-$SLURM_JOB_ID}}
if [ -n "$asked" ] && [ "$status" -eq 130 ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt {MOST_RESTARTS} ] &&
  scontrol show job --oneliner "$job" | grep -q 'JobState=RUNNING'; then
  echo "$(date -Is) to be continued"
  scontrol requeue "$job"
fi
exit "$status"
"#,
            cores = self.cores,
        );
        text
    }
}

/// A path as a word of a shell.
fn word(path: &Path) -> String {
    shell_words::quote(&path.display().to_string()).into_owned()
}

/// A value as a word of a line for `sbatch`, which knows double quotes.
fn quoted(text: &str) -> String {
    if text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text.to_owned() }
}

/// Twice what it is expected to take, and a quarter of an hour: the estimate is of another machine, and whoever asks for too little
/// only goes on later.
fn time_for(seconds: f64) -> String {
    let minutes = (2.0 * seconds / 60.0).ceil() as u64 + 15;
    let minutes = minutes.next_multiple_of(5);
    format!("{}:{:02}:00", minutes / 60, minutes % 60)
}

/// A quarter more than the estimate and what the program itself takes; beyond what it asks for a task is killed.
fn memory_for(bytes: u64) -> String {
    let mebibytes = bytes / MIB + bytes / MIB / 4 + 256;
    format!("{}M", mebibytes.next_multiple_of(256))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup() -> Setup {
        Setup {
            peso: "/opt/peso 1/bin/peso".into(),
            project: "/home/a b/100 %/project.ron".into(),
            folder: "/home/a b/100 %".into(),
            runs_dir: "/home/a b/100 %/runs".into(),
            device: DeviceChoice::Cpu,
            fresh: false,
            partition: Some("long".to_owned()),
            account: None,
            gpus: None,
            cores: 4,
            time: None,
            memory: None,
            at_once: Some(3),
            options: vec!["--nice=100".to_owned()],
        }
    }

    fn job() -> Job {
        Job {
            layer: Layer::Runs,
            name: "peso-demo-runs".to_owned(),
            runs: vec!["peso-s1-0".to_owned(), "single-s1-0".to_owned()],
            seconds: Some(1000.0),
            peak_memory_bytes: Some(700 << 20),
        }
    }

    #[test]
    fn a_script_asks_for_what_the_estimate_says_and_what_is_wished() {
        let text = setup().script(&job());
        let line = |line: &str| assert!(text.lines().any(|there| there == line), "{line}\nis not in\n{text}");
        line("#!/bin/bash");
        line("#SBATCH --job-name=peso-demo-runs");
        line("#SBATCH --array=0-1%3");
        line("#SBATCH --partition=long");
        line("#SBATCH --nice=100");
        // 2 x 1000 s are 34 minutes, and 15; 700 MiB, 175 and 256.
        line("#SBATCH --time=0:50:00");
        line("#SBATCH --mem=1280M");
        line("#SBATCH --chdir=\"/home/a b/100 %\"");
        line("#SBATCH --output=\"/home/a b/100 %%/runs/slurm/%x-%A_%a.log\"");
        line("  peso-s1-0");
        assert!(!text.contains("--gpus") && !text.contains("--account") && !text.contains("--fresh"));
        let wished = Setup {
            time: Some("7-00".to_owned()),
            memory: Some("9G".to_owned()),
            gpus: Some("a100:1".to_owned()),
            ..setup()
        };
        let text = wished.script(&job());
        for wish in ["--time=7-00", "--mem=9G", "--gpus=a100:1"] {
            assert!(text.contains(&format!("#SBATCH {wish}\n")), "{text}");
        }
    }

    #[test]
    fn the_time_of_a_gpu_is_not_taken_from_another_machine() {
        let text = Setup { gpus: Some("1".to_owned()), ..setup() }.script(&job());
        assert!(!text.contains("--time"), "{text}");
    }

    #[test]
    fn a_shell_reads_the_script_as_it_is_meant() {
        let folder = tempfile::tempdir().unwrap();
        for (layer, says) in [
            (Layer::Runs, "--run \"$run\" --device cpu --out '/home/a b/100 %/runs' --worker $fresh"),
            (Layer::FirstStage, "--shared stage1"),
            (Layer::Ids, "semantic-ids '/home/a b/100 %/project.ron' --device cpu"),
        ] {
            let runs = if layer == Layer::Ids { Vec::new() } else { job().runs };
            let text = Setup { fresh: true, ..setup() }.script(&Job { layer, runs, ..job() });
            assert!(text.contains(says), "{text}");
            let file = folder.path().join("job.sh");
            std::fs::write(&file, &text).unwrap();
            let checked = std::process::Command::new("bash").arg("-n").arg(&file).output().unwrap();
            assert!(checked.status.success(), "{}\n{text}", String::from_utf8_lossy(&checked.stderr));
        }
    }
}
