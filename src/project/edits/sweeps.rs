//! Edits of a project's sweeps.

use super::changed;
use crate::project::Project;
use crate::project::sweep::Sweep;

/// The project with a sweep, new or in place of the one at `index`.
pub(crate) fn with_sweep(project: &Project, index: Option<usize>, sweep: Sweep) -> Project {
    changed(project, |project| match index.and_then(|index| project.sweeps.get_mut(index)) {
        Some(there) => *there = sweep,
        None => project.sweeps.push(sweep),
    })
}

/// The project without the sweep at `index`, if there is one.
pub(crate) fn without_sweep(project: &Project, index: usize) -> Project {
    changed(project, |project| {
        if index < project.sweeps.len() {
            project.sweeps.remove(index);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::DEMO;
    use crate::project::sweep::{Axis, Combine};
    use crate::schema::Setting;

    #[test]
    fn a_sweep_is_added_replaced_and_removed() {
        let mut project = Project::parse(DEMO, Path::new("demo/project.ron")).unwrap();
        project.sweeps.clear();
        let sweep = |value: f64| Sweep {
            experiment: "PESO".to_owned(),
            options: vec![Axis { option: "lambda".to_owned(), values: vec![Setting::Number(value)] }],
            combine: Combine::Grid,
        };
        let one = with_sweep(&project, None, sweep(1.0));
        let two = with_sweep(&one, None, sweep(2.0));
        assert_eq!(two.sweeps, [sweep(1.0), sweep(2.0)]);
        assert_eq!(with_sweep(&two, Some(0), sweep(3.0)).sweeps, [sweep(3.0), sweep(2.0)]);
        assert_eq!(without_sweep(&two, 1), one);
        assert_eq!(without_sweep(&one, 7), one);
    }
}
