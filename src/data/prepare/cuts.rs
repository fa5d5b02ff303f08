//! Where one stage ends and the next begins.

use super::options::{InvalidPrepare, MAX_STAGES, StageCuts, cut_times};
use super::rows::Row;
use crate::calendar;
use crate::data::interactions::Interactions;

/// Cuts interactions, which are in time order, into stages that keep it.
///
/// # Errors
/// The cuts need times that the interactions lack, or leave a stage empty.
pub fn cut(interactions: &Interactions, kept: &[Row], cuts: &StageCuts) -> Result<Vec<Vec<Row>>, InvalidPrepare> {
    let by_order = matches!(cuts, StageCuts::ByOrder { .. });
    if interactions.time.is_empty() && cuts.are_in_time() {
        let advice = "`stages: ByOrder(base: 0.6, later: 4)` cuts each user's own history instead";
        let problem = "the interactions have no times, so that they cannot be cut into stages in time";
        return Err(InvalidPrepare::new("stages", problem, advice));
    }
    let stages = match cuts.shares()? {
        Some(shares) if by_order => by_user(interactions, kept, &ends(&shares)),
        Some(shares) => {
            let ends: Vec<usize> = ends(&shares).iter().map(|end| end_index(*end, kept.len())).collect();
            let starts = [0].into_iter().chain(ends.iter().copied());
            starts.zip(&ends).map(|(start, &end)| kept[start..end].to_vec()).collect()
        }
        None if *cuts == StageCuts::Files => by_file(interactions, kept)?,
        None => {
            let StageCuts::Dates(dates) = cuts else { return Ok(Vec::new()) };
            let times = cut_times(dates)?;
            let mut stages = vec![Vec::new(); times.len() + 1];
            for &row in kept {
                stages[times.partition_point(|&cut| cut <= interactions.time[row.at as usize])].push(row);
            }
            stages
        }
    };
    if let Some(empty) = stages.iter().position(Vec::is_empty) {
        let period = kept.first().zip(kept.last()).map(|(first, last)| {
            let date = |row: &Row| interactions.time.get(row.at as usize).map(|&time| calendar::date(time));
            format!("{} to {}", date(first).unwrap_or_default(), date(last).unwrap_or_default())
        });
        let problem = format!("stage {} has none of the {} interactions that are left", empty + 1, kept.len());
        let advice = format!("fewer or other cuts; the interactions are from {}", period.unwrap_or_default());
        return Err(InvalidPrepare::new("stages", problem, advice));
    }
    Ok(stages)
}

/// A stage for each file that the interactions were read from.
fn by_file(interactions: &Interactions, kept: &[Row]) -> Result<Vec<Vec<Row>>, InvalidPrepare> {
    let files = interactions.file.iter().max().map_or(1, |&last| usize::from(last) + 1);
    if !(2..=MAX_STAGES).contains(&files) {
        let problem = format!("the interactions come from {files} file{}", if files == 1 { "" } else { "s" });
        let advice = "`Files` needs from 2 to 100 that are read together: a folder, or a pattern like `ml.*.inter`";
        return Err(InvalidPrepare::new("stages", problem, advice));
    }
    let mut stages = vec![Vec::new(); files];
    for &row in kept {
        stages[usize::from(interactions.file[row.at as usize])].push(row);
    }
    Ok(stages)
}

/// Where each stage ends, as a share of all.
fn ends(shares: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut ends: Vec<f64> = shares
        .iter()
        .map(|share| {
            sum += share;
            sum
        })
        .collect();
    // What rounding left of the whole belongs to the last stage.
    if let Some(last) = ends.last_mut() {
        *last = 1.0;
    }
    ends
}

/// The number of interactions before a share of all ends, rounded down; a share like 0.7 may have come out a little lower.
fn end_index(end: f64, count: usize) -> usize {
    ((end * count as f64 + 1e-6) as usize).min(count)
}

/// Cuts each user's own interactions at the same shares.
fn by_user(interactions: &Interactions, kept: &[Row], ends: &[f64]) -> Vec<Vec<Row>> {
    let mut counts = vec![0usize; interactions.users.len()];
    kept.iter().for_each(|row| counts[row.user as usize] += 1);
    let mut seen = vec![0usize; interactions.users.len()];
    let mut stages = vec![Vec::new(); ends.len()];
    for &row in kept {
        let user = row.user as usize;
        let stage = ends.iter().position(|&end| seen[user] < end_index(end, counts[user]));
        stages[stage.unwrap_or(ends.len() - 1)].push(row);
        seen[user] += 1;
    }
    stages
}
