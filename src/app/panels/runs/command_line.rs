//! The command that does what the window would do.

use std::path::Path;

use crate::run::queue::RunKey;

/// `peso run PROJECT --experiment NAME --seed N`, quoted for a shell.
pub(super) fn of(project: &Path, run: &RunKey) -> String {
    let (project, experiment) = (quoted(&project.display().to_string()), quoted(&run.experiment));
    // A name that begins with a dash would be taken for an option.
    format!("peso run {project} --experiment={experiment} --seed {}", run.seed)
}

/// A word for a POSIX shell: as it is where nothing in it means anything to one, else in single quotes.
fn quoted(word: &str) -> String {
    let plain =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '/' | '.' | '_' | '-' | ',' | '+' | '@');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_what_was_meant() {
        let line = |project: &str, experiment: &str| {
            of(Path::new(project), &RunKey { experiment: experiment.to_owned(), seed: 42 })
        };
        assert_eq!(line("/a/project.ron", "PESO"), "peso run /a/project.ron --experiment=PESO --seed 42");
        assert_eq!(
            line("/my files/it's.ron", "PESO $(rm); λ 20"),
            "peso run '/my files/it'\\''s.ron' --experiment='PESO $(rm); λ 20' --seed 42"
        );
    }
}
