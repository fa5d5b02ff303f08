//! Lines like `user>item@time`.

use super::plan::{Delimited, Layout, Roles, Separator, Splitter};
use super::sample::FileSample;
use super::spec::{FormatSpec, Reader, SourceFields};
use crate::data::term::Term;

pub(super) static SPEC: FormatSpec = FormatSpec {
    key: "Toy",
    label: "Toy",
    kinds: "",
    summary: "Interactions as lines of a toy.",
    files: &[Term { name: "<name>.toy", meaning: "lines like `user>item@time`" }],
    recognition: "lines with `>` and, after it, `@` and a time",
    certain: true,
    expected: "lines like `user>item@time` were expected",
    traps: &["There are no ratings."],
    fields: SourceFields::Interactions,
    reader: Reader { layout: |sample, _| Ok(layout(sample)), ..Reader::ONE_FILE },
};

fn layout(sample: &FileSample) -> Option<Layout> {
    let lines = sample.lines();
    let fits = !lines.is_empty() && lines.iter().all(|line| split(line).len() == 3);
    let separator = Separator::Own(Splitter { name: ">@", split });
    let columns = ["user", "item", "time"].map(str::to_owned).to_vec();
    let roles = Roles { user: 0, item: 1, time: Some(2), rating: None };
    fits.then_some(Layout::Delimited { table: Delimited { separator, header: false, columns }, roles })
}

/// User, item and time of a line, or the whole of another line.
fn split(line: &[u8]) -> Vec<&[u8]> {
    let at = |sign: u8| line.iter().position(|&byte| byte == sign);
    match at(b'>').zip(at(b'@')) {
        Some((user, item)) if user < item => vec![&line[..user], &line[user + 1..item], &line[item + 1..]],
        _ => vec![line],
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::path::Path;

    use crate::data::formats::{Format, detect};
    use crate::data::{DatasetSource, load};
    use crate::project::Project;

    #[test]
    fn a_toy_file_is_recognised_and_a_project_that_names_it_loads_it() {
        let folder = tempfile::tempdir().unwrap();
        let line = |i: u64| format!("u{}>i{}@{}\n", i % 7, i % 5, 1_400_000_000 + i * 86_400);
        std::fs::write(folder.path().join("a.toy"), (0..300).map(line).collect::<String>()).unwrap();
        let source = detect(&folder.path().join("a.toy")).unwrap().unwrap().source();
        assert_eq!(source.format(), Format::of_key("Toy"));

        let demo = Project::parse(crate::project::file::DEMO, Path::new("project.ron")).unwrap();
        let dataset = DatasetSource::Interactions(Format::of_key("Toy").unwrap(), crate::data::Import::at("a.toy"));
        let file = folder.path().join("project.ron");
        Project { dataset, ..demo }.save(&file).unwrap();
        assert!(std::fs::read_to_string(&file).unwrap().contains("dataset: Toy("));
        let project = Project::load(&file).unwrap();
        let imported = load::import(&project.dataset, &project.folder, &mut |_| ControlFlow::Continue(())).unwrap();
        assert_eq!((imported.report.interactions, imported.report.users, imported.report.items), (300, 7, 5));
    }
}
