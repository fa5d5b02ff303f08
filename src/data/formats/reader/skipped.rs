//! What was left out of files: lines by their problem, with examples.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Rejected lines that are kept as examples of a problem, at most; and problems that are told apart.
const EXAMPLES: u64 = 20;
const PROBLEMS: usize = 50;

/// What was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Skipped {
    /// Lines that could not be read.
    pub lines: u64,
    /// The first of them, at most 20 of each problem.
    pub examples: Vec<SkippedLine>,
    /// What was wrong with them, by first appearance. Of more than 50 problems the rest is only in `lines`.
    pub problems: Vec<SkippedProblem>,
}

/// A problem that lines have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedProblem {
    /// As [`kind_of_problem`] says it.
    pub kind: String,
    pub lines: u64,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedLine {
    pub path: PathBuf,
    /// From 1; the first of them, where a record has several.
    pub line: u64,
    pub problem: String,
}

impl Skipped {
    /// Counts a record of `lines` lines that begins at `line`.
    pub fn add(&mut self, path: &Path, line: u64, lines: u64, problem: impl Into<String>) {
        self.lines += lines;
        let problem = problem.into();
        let kind = kind_of_problem(&problem);
        let known = self.problems.iter().position(|known| known.kind == kind);
        let Some(index) = known.or_else(|| {
            let room = self.problems.len() < PROBLEMS;
            room.then(|| self.problems.push(SkippedProblem { kind, lines: 0 }))?;
            Some(self.problems.len() - 1)
        }) else {
            return;
        };
        let known = &mut self.problems[index];
        if known.lines < EXAMPLES {
            self.examples.push(SkippedLine { path: path.to_path_buf(), line, problem });
        }
        known.lines += lines;
    }

    /// The examples of one of the problems.
    pub fn examples_of<'s>(&'s self, problem: &SkippedProblem) -> impl Iterator<Item = &'s SkippedLine> {
        let kind = problem.kind.clone();
        self.examples.iter().filter(move |example| kind_of_problem(&example.problem) == kind)
    }
}

/// What a problem has in common with others: what the line itself says (between backticks) and a number at the beginning
/// become `…`.
pub fn kind_of_problem(problem: &str) -> String {
    let rest = problem.trim_start_matches(|character: char| character.is_ascii_digit());
    let mut kind = if rest.len() < problem.len() { "…".to_owned() } else { String::new() };
    for (number, part) in rest.split('`').enumerate() {
        kind.push_str(if number % 2 == 0 { part } else { "`…`" });
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_counted_by_kind_with_a_few_examples_of_each() {
        let mut skipped = Skipped::default();
        for line in 1..=100 {
            skipped.add(Path::new("a.csv"), line, 1, format!("the rating is `{line}x`, which is not a number"));
        }
        skipped.add(Path::new("a.csv"), 101, 3, "2 columns, at least 4 were expected");
        skipped.add(Path::new("a.csv"), 104, 1, "3 columns, at least 4 were expected");
        let problems: Vec<(&str, u64)> =
            skipped.problems.iter().map(|problem| (problem.kind.as_str(), problem.lines)).collect();
        let expected = [("the rating is `…`, which is not a number", 100), ("… columns, at least 4 were expected", 4)];
        assert_eq!(problems, expected);
        assert_eq!((skipped.lines, skipped.examples.len()), (104, 22));
        assert_eq!(
            skipped.examples_of(&skipped.problems[1]).map(|example| example.line).collect::<Vec<_>>(),
            [101, 104]
        );
        for line in 0..100 {
            skipped.add(Path::new("a.csv"), line, 1, format!("problem {}", "x".repeat(line as usize)));
        }
        assert_eq!((skipped.problems.len(), skipped.lines), (PROBLEMS, 204), "memory is bounded");
    }
}
