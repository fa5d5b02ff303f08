//! What every method recommends to a history that somebody made up, as a table.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use crate::analysis::recommend::{self, AskedHistory, ListedItem, RunAnswer};
use crate::data::Dataset;
use crate::error::InputError;
use crate::plot::listing::{Cell, Column};
use crate::plot::{Body, Chart, Listing};

pub static SPEC: FigureSpec = FigureSpec {
    name: "history",
    aliases: &["own-history"],
    label: "Own history",
    title: "Recommendations to a history",
    summary: "What every method was found to recommend to a history that somebody made up (`peso recommend` asks them)",
    tooltip: "What every method recommends to a history of your own, and what is new in it since the stage before",
    options: &[FigureOption::Stage, FigureOption::History],
    alone: true,
    make: Make::Project(|context, options| {
        if options.history.is_empty() {
            return Err(
                InputError::new("--history", "no history is given").advice("name its items by their ids, oldest first")
            );
        }
        let stages = context.results.runs.iter().map(|result| result.stages.len()).max().unwrap_or(0);
        let stage = options.stage.unwrap_or(stages).max(1);
        let asked =
            AskedHistory { history: options.history.clone(), user: options.user.clone(), new_items: options.new_items };
        let mut answers = Vec::new();
        for run in context.runs(&Default::default())? {
            if let Some(answer) = recommend::kept(&run.folder, &asked, stage)? {
                answers.push((run.name.clone(), answer));
            }
        }
        let answers: Vec<Answered<'_>> = answers.iter().map(|(name, answer)| Answered { name, answer }).collect();
        let chart = history(context.dataset()?, &asked, stage, &answers);
        Ok(vec![NamedChart::new("history", chart)])
    }),
};

/// What a run answered, under the name that the run has.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    pub name: &'a str,
    pub answer: &'a RunAnswer,
}

/// Newest items of a history that a chart names.
const NAMED: usize = 5;

/// The lists of all runs for a history after a stage, from 1.
pub fn history(dataset: &Dataset, asked: &AskedHistory, stage: usize, answers: &[Answered<'_>]) -> Chart {
    let history = &asked.history;
    let title = format!("Recommendations to a history, after stage {stage}");
    let words = |id: &String| {
        let item = dataset.items.iter().position(|item| item.id == *id);
        item.map_or_else(|| id.clone(), |item| dataset.item_words(item as u32))
    };
    let newest: Vec<String> = history.iter().rev().take(NAMED).rev().map(words).collect();
    let earlier =
        if history.len() > NAMED { format!("{} earlier, then ", history.len() - NAMED) } else { String::new() };
    let brought = asked.new_items.map(|stages| {
        let stages = recommend::stages_words(stage, stages);
        format!(" · only items that {stages} brought")
    });
    let subtitle = Some(format!("History: {earlier}{}{}", newest.join(" → "), brought.unwrap_or_default()));
    if answers.is_empty() {
        let advice = "No run was asked since it was trained: Own history in Users asks them, as `peso recommend` does";
        return Chart { subtitle, ..Chart::empty(title, advice) }.synthetic(dataset.synthetic);
    }
    let listed = |item: &ListedItem| item.title.clone().unwrap_or_else(|| item.id.clone());
    let cell = |answer: &RunAnswer, place: usize| {
        answer.items.get(place).map_or_else(String::new, |item| match answer.is_new(item) {
            true => format!("{} (new)", listed(item)),
            false => listed(item),
        })
    };
    let longest = answers.iter().map(|answered| answered.answer.items.len()).max().unwrap_or(0);
    let row = |place: usize| {
        let cells = answers.iter().map(|answered| Cell::from(cell(answered.answer, place)));
        [Cell::from((place + 1).to_string())].into_iter().chain(cells).collect()
    };
    let columns =
        [Column::numbers("Place")].into_iter().chain(answers.iter().map(|answered| Column::words(answered.name)));
    let listing = Listing { columns: columns.collect(), rows: (0..longest).map(row).collect() };
    let caption = (stage > 1).then(|| "new: not in the list of the stage before".to_owned());
    let chart = Chart { subtitle, caption, ..Chart::new(title, Body::Listing(listing)) };
    let chart = chart.synthetic(dataset.synthetic).of("history", history.join(" ")).of("stage", stage.to_string());
    match asked.new_items {
        Some(stages) => chart.of("new items", stages.to_string()),
        None => chart,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{DatasetSource, SyntheticOptions};
    use crate::plot::table;

    #[test]
    fn every_list_has_what_is_new_in_it_marked() {
        let options = SyntheticOptions { users: 20, items: 80, stages: 2, ..SyntheticOptions::default() };
        let mut dataset = Dataset::load(&DatasetSource::Synthetic(options), None, Path::new(".")).unwrap();
        dataset.items[3].title = Some("Snow, country".to_owned());
        let of = |id: &str, title: Option<&str>| ListedItem { id: id.to_owned(), title: title.map(str::to_owned) };
        let answer = RunAnswer {
            run: "a".to_owned(),
            experiment: "PESO".to_owned(),
            seed: 1,
            items: vec![of("i1", Some("One")), of("i2", None)],
            before: Some(vec![of("i2", None)]),
            problem: None,
        };
        let asked = AskedHistory { history: vec![dataset.items[3].id.clone()], user: None, new_items: None };
        let chart = history(&dataset, &asked, 2, &[Answered { name: "PESO", answer: &answer }]);
        assert_eq!(chart.subtitle.as_deref(), Some("History: Snow, country"));
        let csv = table::csv(&chart);
        assert!(csv.contains("1,One (new)") && csv.contains("2,i2"), "{csv}");
        assert!(matches!(history(&dataset, &asked, 2, &[]).body, Body::Empty(_)));
        let new = AskedHistory { new_items: Some(2), ..asked };
        let subtitle = history(&dataset, &new, 2, &[]).subtitle;
        assert_eq!(subtitle.as_deref(), Some("History: Snow, country · only items that stages 1 to 2 brought"));
    }
}
