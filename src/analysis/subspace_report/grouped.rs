//! Figures of several modules together.

use super::report::{Between, Group, GroupStage, ModuleReport, ModuleStage, Moved};

/// Groups of modules with equal keys, in the order in which the keys first come.
pub fn by(modules: &[ModuleReport], key: impl Fn(&ModuleReport) -> String) -> Vec<Group> {
    let mut groups: Vec<(String, Vec<&ModuleReport>)> = Vec::new();
    for module in modules {
        let key = key(module);
        match groups.iter_mut().find(|(there, _)| *there == key) {
            Some((_, members)) => members.push(module),
            None => groups.push((key, vec![module])),
        }
    }
    groups.into_iter().map(|(key, members)| group(key, &members)).collect()
}

/// All modules as one group.
pub fn whole(modules: &[ModuleReport]) -> Group {
    group("all".to_owned(), &modules.iter().collect::<Vec<_>>())
}

fn group(key: String, members: &[&ModuleReport]) -> Group {
    let places = members.first().map_or(0, |module| module.stages.len());
    Group { key, modules: members.len(), stages: (0..places).map(|index| stage(members, index)).collect() }
}

fn stage(members: &[&ModuleReport], index: usize) -> GroupStage {
    let stages: Vec<&ModuleStage> = members.iter().map(|module| &module.stages[index]).collect();
    let number = stages.first().map_or(0, |stage| stage.stage);
    let grassmann_to = |other: usize| {
        let pairs = members.iter().filter_map(|module| pair(module, other, number));
        let (count, sums) = pairs.fold((0.0, [0.0; 2]), |(count, [left, right]), pair| {
            (count + 1.0, [left + pair.left.grassmann, right + pair.right.grassmann])
        });
        (count > 0.0).then(|| sums.map(|sum| sum / count))
    };
    let earlier = |at: usize| members.first().map(|module| module.stages[at].stage);
    GroupStage {
        stage: number,
        norm: root_of_squares(stages.iter().map(|stage| stage.norm)),
        parameters_norm: root_of_squares(stages.iter().map(|stage| stage.parameters_norm)),
        effective_rank: mean(stages.iter().map(|stage| stage.effective_rank)),
        moved: moved(&stages),
        grassmann: index.checked_sub(1).and_then(earlier).and_then(grassmann_to),
        grassmann_to_first: index.checked_sub(1).and_then(|_| earlier(0)).and_then(grassmann_to),
    }
}

fn pair(module: &ModuleReport, from: usize, to: usize) -> Option<&Between> {
    module.pairs.iter().find(|pair| pair.from == from && pair.to == to)
}

/// Moves of several modules as one; shares weigh as the energy that moved.
fn moved(stages: &[&ModuleStage]) -> Option<Moved> {
    let moves: Vec<Moved> = stages.iter().filter_map(|stage| stage.moved).collect();
    if moves.is_empty() {
        return None;
    }
    let energy: f64 = moves.iter().map(|moved| moved.norm.powi(2)).sum();
    let share = |of: fn(&Moved) -> f64| {
        if energy > 0.0 { moves.iter().map(|moved| of(moved) * moved.norm.powi(2)).sum::<f64>() / energy } else { 0.0 }
    };
    Some(Moved {
        norm: energy.sqrt(),
        parameters: root_of_squares(moves.iter().map(|moved| moved.parameters)),
        inside_left: share(|moved| moved.inside_left),
        inside_right: share(|moved| moved.inside_right),
        inside_both: share(|moved| moved.inside_both),
        chance_left: share(|moved| moved.chance_left),
        chance_right: share(|moved| moved.chance_right),
    })
}

fn root_of_squares(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}
