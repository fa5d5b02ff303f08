//! The answer in plain words, what of it could be chance, and what it does not say.

use super::Source;
use crate::data::Protocol;
use crate::data::prepare::PrepareReport;
use crate::figures::words::metric_label;
use crate::id_training::{TrainIds, TrainedOn};
use crate::measure::statistics::{Evidence, Verdict};
use crate::project::{SemanticIds, UsersPerStage};
use crate::report::document::Section;
use crate::results::comparison::{ComparisonLine, Judged};
use crate::results::plain_words;
use crate::text::counted;

/// Which method is better, and how sure that is.
pub(super) fn section(source: &Source<'_>) -> Section {
    let mut section = Section::new("answer", "The answer");
    let Some(baseline) = source.baseline() else {
        section.say("No run is finished yet, so nothing can be compared");
        return section;
    };
    section.say([opening(source, baseline), best(source, baseline), counting(source)].join(" ").trim_end().to_owned());
    let said = source.lines.iter().zip(&source.judged);
    section.list(said.filter_map(|(line, judged)| plain_words::sentence(&line.name, baseline, judged)).collect());
    section
}

fn opening(source: &Source<'_>, baseline: &str) -> String {
    let trained = source.lines.iter().filter(|line| !line.counted).count();
    let stages = source.configurations.iter().map(|config| config.stages).max().unwrap_or(0);
    let later = if stages > 1 { ", as a mean over the stages from 2 on" } else { "" };
    format!(
        "{} over {}, held against {baseline} by {}{later}.",
        counted(trained, "trained method"),
        counted(stages, "stage"),
        metric_label(&source.metric)
    )
}

/// The sentence that a reader in a hurry takes away.
fn best(source: &Source<'_>, baseline: &str) -> String {
    let mut sure: Vec<(&ComparisonLine, &Verdict)> =
        source.verdicts().filter(|(line, verdict)| !line.counted && is_sure_gain(verdict)).collect();
    sure.sort_by(|(_, a), (_, b)| b.comparison.gain.total_cmp(&a.comparison.gain));
    let sentences = |found: &(&ComparisonLine, &Verdict)| plain_words::of_verdict(&found.0.name, baseline, found.1);
    match sure.first() {
        Some(first) => {
            let others = match sure.len() - 1 {
                0 => String::new(),
                1 => " One more is better as well.".to_owned(),
                others => format!(" {others} more are better as well."),
            };
            format!("{}.{others}", sentences(first))
        }
        None if source.verdicts().all(|(line, _)| line.counted) => {
            format!("Only {baseline} is trained to the end: a gain needs a second method.")
        }
        None => format!("No trained method is shown to be better than {baseline}."),
    }
}

fn is_sure_gain(verdict: &Verdict) -> bool {
    verdict.evidence == Evidence::Significant && verdict.comparison.gain > 0.0
}

/// How the best trained method does beside what only counts, which costs next to nothing.
fn counting(source: &Source<'_>) -> String {
    let value = |line: &ComparisonLine| source.value(line);
    let (Some(counted), Some(leader)) = (source.best_counted(), source.leader()) else { return String::new() };
    let (Some(low), Some(high)) = (value(counted), value(leader)) else { return String::new() };
    let numbers = format!("{} {high:.4} of {} against {low:.4}", metric_label(&source.metric), leader.name);
    let said =
        source.against_counted.as_ref().and_then(|judged| plain_words::sentence(&leader.name, &counted.name, judged));
    let said = said.map(|said| format!(" {said}.")).unwrap_or_default();
    format!("Of those that only count {} is best ({numbers}).{said}", counted.name)
}

/// What of the differences may be chance, and what would tell.
pub(super) fn chance(source: &Source<'_>) -> Section {
    let mut section = Section::new("chance", "What could be chance");
    let Some(baseline) = source.baseline() else { return section };
    let (_, basis) = source.context.compared();
    let seeds = match basis.shared.len() {
        0 => "The lines share no seed.".to_owned(),
        1 => "All lines are over one seed: another one might turn the order round, and one seed cannot say how likely that is.".to_owned(),
        seeds => format!("All lines are over the same {seeds} seeds."),
    };
    let tests = source.verdicts().map(|(_, verdict)| verdict.comparison.users).max();
    let tests = tests.map(|tests| format!(" Gains are over {}, the same for both.", counted(tests, "test case")));
    section.say(format!("{seeds}{}", tests.unwrap_or_default()));
    section.list(basis.words().into_iter().collect());
    let open: Vec<String> = source
        .verdicts()
        .filter(|(_, verdict)| !matches!(verdict.evidence, Evidence::Significant | Evidence::NotEnoughSeeds { .. }))
        .map(|(line, verdict)| plain_words::of_verdict(&line.name, baseline, verdict))
        .collect();
    let one_seed = |verdict: &Verdict| matches!(verdict.evidence, Evidence::NotEnoughSeeds { .. });
    if source.verdicts().any(|(_, verdict)| one_seed(verdict)) {
        section.say(format!(
            "Nothing with a single seed is told from {baseline}, however far its interval lies from 0: at least three seeds would say \
             more."
        ));
    } else if open.is_empty() {
        section.say(format!("Every line that can be compared is told from {baseline}."));
    }
    if !open.is_empty() {
        section.say(format!("Not told from {baseline}:"));
        section.list(open);
    }
    let refused = source.lines.iter().zip(&source.judged).filter_map(|(line, judged)| match judged {
        Judged::Incomparable(reason) => Some(format!("{} cannot be compared: {reason}", line.name)),
        Judged::Baseline | Judged::Verdict(_) => None,
    });
    section.list(refused.collect());
    let tested = source.verdicts().filter(|(_, verdict)| verdict.p_corrected.is_some()).count();
    if tested > 0 {
        section.say(format!(
            "Intervals are over test users and seeds and hold the true gain in 95 of 100 cases; they are corrected for looking at {} \
             at once (Holm), so that at most 5 of 100 such tables call anything a difference that is none.",
            counted(tested, "line")
        ));
    }
    section
}

/// What nobody should conclude.
pub(super) fn limits(source: &Source<'_>) -> Section {
    let mut section = Section::new("limits", "Limits");
    let project = source.project;
    let mut limits = Vec::new();
    if source.context.is_synthetic() {
        limits.push(
            "The data are generated: they show how methods behave under the drift that was put in, not what people do",
        );
    }
    limits.push(
        "The tests are offline: they ask whether a list has the item that a user chose next, not what the user would have \
         done with the list",
    );
    limits.push("It is one dataset, cut into stages in one way: another may rank the methods in another order");
    if project.seeds.len() == 1 {
        limits.push(
            "There is one seed: what another order of the data and another first adapter would give is not known",
        );
    }
    if matches!(project.evaluation.users, UsersPerStage::Sample(_)) {
        limits.push("Not all users are tested but a sample of each stage, the same for every method");
    }
    if project.base_model.path().is_none() {
        limits
            .push("The base model is small and trained on stage 1 alone: a large language model may behave otherwise");
    }
    if source.context.results.protocol == Protocol::SameBlock {
        limits
            .push("Tests lie in the stage that was just trained (same-block), and do not ask about the stage after it");
    }
    if source.context.results.ids_are_shared() {
        limits.push("Some items share a semantic id: where they do, the target's place is counted by expectation");
    }
    if let SemanticIds::Train(TrainIds { on: on @ TrainedOn::All, .. }) = &project.semantic_ids {
        limits.push(on.note());
    }
    limits.push("Times and memory are those of the device named below; another one has others");
    let leak = source.context.prepared().ok().flatten().and_then(PrepareReport::leak_warning);
    section.list(limits.into_iter().map(str::to_owned).chain(leak).collect());
    section
}
