//! Groups of users, told by what was known of them before a test, or by a column of a table of users.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use super::formats::read_table;
use super::{Dataset, Example, Protocol};
use crate::error::InputError;

/// What users are grouped by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Grouping {
    /// Interactions before the test: thirds of each stage's tests.
    #[default]
    Activity,
    /// Stages since the user was first seen.
    Tenure,
    /// How popular what the user chose before was: thirds of each stage's tests.
    Taste,
    /// A column of a table that has a row a user.
    Column { file: PathBuf, column: String },
}

impl Grouping {
    /// Those that need no table.
    pub const KNOWN: [(&'static str, Self); 3] =
        [("activity", Self::Activity), ("tenure", Self::Tenure), ("taste", Self::Taste)];

    /// What it is called in titles: `activity`, `gender`.
    pub fn label(&self) -> &str {
        match self {
            Self::Column { column, .. } => column,
            known => Self::KNOWN.iter().find(|(_, other)| other == known).map_or("", |(name, _)| name),
        }
    }

    /// What makes a test one of a group, in one sentence.
    pub fn explanation(&self) -> String {
        match self {
            Self::Activity => "Thirds of each stage's tests by the interactions of the user before the test".to_owned(),
            Self::Tenure => "Tests by the stage in which the user was first seen".to_owned(),
            Self::Taste => {
                "Thirds of each stage's tests by how often the items that the user chose before had occurred in earlier stages".to_owned()
            }
            Self::Column { file, column } => format!("Tests by the column {column} of {}", file.display()),
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { file, column } => write!(f, "{}:{column}", file.display()),
            known => f.write_str(known.label()),
        }
    }
}

impl FromStr for Grouping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, known)) = Self::KNOWN.into_iter().find(|(name, _)| *name == text) {
            return Ok(known);
        }
        // The last colon: a path may have some.
        match text.rsplit_once(':') {
            Some((file, column)) if !file.is_empty() && !column.is_empty() => {
                Ok(Self::Column { file: file.into(), column: column.to_owned() })
            }
            _ => Err(format!(
                "\"{text}\" is no grouping; expected activity, tenure, taste, or a table and a column as users.csv:gender"
            )),
        }
    }
}

/// The group of every test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserGroups {
    /// Names of the groups, in their order.
    pub names: Vec<String>,
    /// By stage from 2 on, by user who is tested in it: the index of the group.
    of_tests: Vec<BTreeMap<u32, usize>>,
    /// Tests of users of whom the table says nothing.
    pub unknown: usize,
}

/// What the column of users is called, where it is not the first.
const USERS: [&str; 6] = ["user_id", "user", "userid", "uid", "customer_id", "reviewerid"];
/// Groups that a column makes at most: with more, hardly one has enough tests.
const MOST_GROUPS: usize = 12;
/// Names of thirds and of tenures, the group that is served worst most often last.
const ACTIVITY: [&str; 3] = ["most active", "middling", "least active"];
const TASTE: [&str; 3] = ["mainstream", "mixed", "niche"];
const TENURE: [&str; 3] = ["long-standing", "since the stage before", "new"];

impl UserGroups {
    /// The groups of the tests of the stages from 2 on. A path is taken from `folder`.
    ///
    /// # Errors
    /// The table lies outside `folder`, cannot be read, has no such column or knows none of the users, or the column makes more than 12 groups.
    pub fn of(dataset: &Dataset, protocol: Protocol, grouping: &Grouping, folder: &Path) -> Result<Self, InputError> {
        let tests = |stage: usize| protocol.tests(&dataset.stages[stage]).collect::<Vec<_>>();
        let stages = 1..dataset.stages.len().max(1);
        let owned = |names: [&str; 3]| names.map(str::to_owned).to_vec();
        let thirds = |names, value: &dyn Fn(usize, &Example<'_>) -> f64| Self {
            names: owned(names),
            of_tests: stages
                .clone()
                .map(|stage| {
                    let tests = tests(stage);
                    let values: Vec<f64> = tests.iter().map(|test| value(stage, test)).collect();
                    tests.iter().map(|test| test.user).zip(thirds_from_the_top(&values)).collect()
                })
                .collect(),
            unknown: 0,
        };
        Ok(match grouping {
            Grouping::Activity => thirds(ACTIVITY, &|_, test| test.history.len() as f64),
            Grouping::Taste => {
                let counts: Vec<Vec<u32>> = stages.clone().map(|stage| counts_before(dataset, stage)).collect();
                thirds(TASTE, &|stage, test| {
                    let of_item = |&item: &u32| f64::from(counts[stage - 1][item as usize] + 1).ln();
                    test.history.iter().map(of_item).sum::<f64>() / test.history.len().max(1) as f64
                })
            }
            Grouping::Tenure => {
                let mut first = vec![usize::MAX; dataset.users.len()];
                for (stage, of_stage) in dataset.stages.iter().enumerate() {
                    for sequence in &of_stage.sequences {
                        let first = &mut first[sequence.user as usize];
                        *first = (*first).min(stage);
                    }
                }
                let group = |stage: usize, user: u32| match stage.saturating_sub(first[user as usize]) {
                    0 => 2,
                    1 => 1,
                    _ => 0,
                };
                let of_stage = |stage| tests(stage).iter().map(|test| (test.user, group(stage, test.user))).collect();
                Self { names: owned(TENURE), of_tests: stages.map(of_stage).collect(), unknown: 0 }
            }
            Grouping::Column { file, column } => {
                let (names, of_user) = column_of(file, column, dataset, folder)?;
                let mut unknown = 0;
                let mut of_stage = |stage| {
                    let tests = tests(stage);
                    let known: BTreeMap<u32, usize> =
                        tests.iter().filter_map(|test| Some((test.user, of_user[test.user as usize]?))).collect();
                    unknown += tests.len() - known.len();
                    known
                };
                let of_tests: Vec<_> = stages.map(&mut of_stage).collect();
                Self { names, of_tests, unknown }
            }
        })
    }

    /// The group of the test of a user in a stage (from 2); none where nothing is known of the user.
    pub fn group(&self, stage: usize, user: u32) -> Option<usize> {
        self.of_tests.get(stage.checked_sub(2)?)?.get(&user).copied()
    }
}

/// Interactions with each item in the stages before one (index from 0).
fn counts_before(dataset: &Dataset, stage: usize) -> Vec<u32> {
    let mut counts = vec![0; dataset.items.len()];
    for sequence in dataset.stages.iter().take(stage).flat_map(|earlier| &earlier.sequences) {
        for &item in &sequence.items[sequence.current_from..] {
            counts[item as usize] += 1;
        }
    }
    counts
}

/// 0 for the values of the highest third, 1 for the next, 2 for the others; equal values are in one third, the higher one.
fn thirds_from_the_top(values: &[f64]) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let least = |third: usize| sorted.get((third * sorted.len()).div_ceil(3).saturating_sub(1)).copied();
    let (Some(high), Some(middle)) = (least(1), least(2)) else { return Vec::new() };
    let third = |&value: &f64| if value >= high { 0 } else { usize::from(value < middle) + 1 };
    values.iter().map(third).collect()
}

/// The groups that a column of a table makes, and that of each user of the dataset.
fn column_of(
    file: &Path,
    column: &str,
    dataset: &Dataset,
    folder: &Path,
) -> Result<(Vec<String>, Vec<Option<usize>>), InputError> {
    let values = column_values(file, column, dataset, folder)?;
    groups_of(&values.iter().map(Option::as_ref).collect::<Vec<_>>()).ok_or_else(|| {
        InputError::new(
            folder.join(file),
            format!("the column \"{column}\" has so many values that most users have a rare one"),
        )
        .advice("choose a column with fewer, or put its values together")
    })
}

/// What a column of a table of users says of each user of the dataset. The path is taken from `folder`.
///
/// # Errors
/// The table lies outside `folder`, cannot be read, has no such column, or knows none of the users.
pub fn column_values(
    file: &Path,
    column: &str,
    dataset: &Dataset,
    folder: &Path,
) -> Result<Vec<Option<String>>, InputError> {
    let path = &folder.join(file);
    // A board or a method may name one, and who sent the project must not have a file of the reader's shown.
    let is_plain = file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let leads_out = match (fs::canonicalize(path), fs::canonicalize(folder)) {
        (Ok(place), Ok(folder)) => !place.starts_with(folder),
        // What is not there cannot be read either.
        _ => false,
    };
    if !is_plain || leads_out {
        return Err(InputError::new(file, "the table of users lies outside the project's folder")
            .advice("copy it there, and name it by its path from there"));
    }
    let separator = match path.extension().and_then(|ending| ending.to_str()) {
        Some("tsv" | "user") => b'\t',
        _ => b',',
    };
    let (columns, mut values) = (Cell::new((0, 0)), HashMap::<String, String>::new());
    let with_header = &mut |names: &[String]| {
        // `user_id:token`, as RecBole's files have it.
        let names: Vec<&str> = names.iter().map(|name| name.split(':').next().unwrap_or(name).trim()).collect();
        let is_user = |name: &&str| USERS.iter().any(|known| name.eq_ignore_ascii_case(known));
        let user = names.iter().position(is_user).unwrap_or(0);
        match names.iter().position(|name| *name == column) {
            Some(wanted) if wanted != user => {
                columns.set((user, wanted));
                Ok(())
            }
            _ => Err(InputError::new(path, format!("there is no column \"{column}\""))
                .at("line 1")
                .advice(format!("the columns are {}", names.join(", ")))),
        }
    };
    read_table(path, separator, with_header, &mut |cells| {
        let (user, wanted) = columns.get();
        if !cells[wanted].is_empty() {
            values.insert(cells[user].clone(), cells[wanted].clone());
        }
    })?;
    let of_user: Vec<Option<String>> = dataset.users.iter().map(|user| values.get(user).cloned()).collect();
    if of_user.iter().all(Option::is_none) {
        return Err(InputError::new(path, "the table knows none of the users of the data").advice(format!(
            "its first column, or one that is called user_id, has the users as the data name them, as \"{}\"",
            dataset.users.first().map_or("", String::as_str)
        )));
    }
    Ok(of_user)
}

/// A group a value where there are few; thirds of the users where there are many numbers; of many words those that most users have,
/// and all others together. None where these are the most.
fn groups_of(values: &[Option<&String>]) -> Option<(Vec<String>, Vec<Option<usize>>)> {
    let mut users = BTreeMap::<&str, usize>::new();
    values.iter().flatten().for_each(|value| *users.entry(value).or_default() += 1);
    if users.len() <= MOST_GROUPS {
        return Some(named(users.into_keys().map(str::to_owned).collect(), values, None));
    }
    let number = |value: &&String| value.parse::<f64>().ok().filter(|value| value.is_finite());
    let Some(numbers) = values.iter().flatten().map(number).collect::<Option<Vec<f64>>>() else {
        let mut by_users: Vec<(&str, usize)> = users.into_iter().collect();
        by_users.sort_by_key(|(_, users)| std::cmp::Reverse(*users));
        let (kept, others) = by_users.split_at(MOST_GROUPS - 1);
        let users = |of: &[(&str, usize)]| of.iter().map(|(_, users)| users).sum::<usize>();
        if users(others) > users(kept) {
            return None;
        }
        let mut names: Vec<String> = kept.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.sort();
        let other = format!("other ({})", others.len());
        return Some(named(names, values, Some(&other)));
    };
    let groups = thirds_from_the_top(&numbers);
    let range = |third: usize| {
        let of_third = numbers.iter().zip(&groups).filter(|(_, group)| **group == third).map(|(number, _)| *number);
        let (low, high) =
            of_third.fold((f64::MAX, f64::MIN), |(low, high), number| (low.min(number), high.max(number)));
        if low > high { String::new() } else { format!("{low} to {high}") }
    };
    let names = (0..3).map(range).collect();
    let mut groups = groups.into_iter();
    Some((names, values.iter().map(|value| value.and_then(|_| groups.next())).collect()))
}

/// Values by their place in `names`, which are sorted; those that are no name are of the group `other`, which is the last.
fn named(mut names: Vec<String>, values: &[Option<&String>], other: Option<&str>) -> (Vec<String>, Vec<Option<usize>>) {
    let last = names.len();
    let place = |value: &String| names.binary_search(value).ok().or(other.map(|_| last));
    let groups = values.iter().map(|value| value.and_then(place)).collect();
    names.extend(other.map(str::to_owned));
    (names, groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Item, Sequence, Stage};
    use crate::semantic_id::SemanticIndex;

    /// Items 0 and 1 are chosen by everybody, the others by few.
    fn dataset() -> Dataset {
        let sequence = |user: u32, items: &[u32], current_from| Sequence { user, items: items.to_vec(), current_from };
        let first = vec![sequence(0, &[0, 1, 0, 1, 0], 0), sequence(1, &[0, 1, 0], 0), sequence(2, &[2, 3, 0], 0)];
        let second = vec![
            sequence(0, &[0, 1, 0, 1, 0, 0, 1, 0], 5),
            sequence(2, &[2, 3, 0, 4, 5, 4], 3),
            sequence(3, &[4, 5, 4], 0),
        ];
        let third = vec![sequence(1, &[0, 1, 0, 1, 0, 1], 3), sequence(3, &[4, 5, 4, 4, 5, 4], 3)];
        Dataset {
            name: "Small".to_owned(),
            items: (0..6).map(|item| Item { id: format!("i{item}"), title: None }).collect(),
            users: (0..4).map(|user| format!("u{user}")).collect(),
            index: SemanticIndex::from_numbers(1, &[0, 1, 2, 3, 4, 5]),
            stages: [first, second, third].map(|sequences| Stage { sequences }).to_vec(),
            synthetic: false,
            hash: String::new(),
        }
    }

    fn names_of(grouping: &Grouping, folder: &Path) -> Vec<Vec<(u32, String)>> {
        let groups = UserGroups::of(&dataset(), Protocol::SameBlock, grouping, folder).unwrap();
        let of_stage = |stage: usize| {
            (0..4).filter_map(|user| Some((user, groups.names[groups.group(stage, user)?].clone()))).collect()
        };
        vec![of_stage(2), of_stage(3)]
    }

    fn expected(tests: &[(u32, &str)]) -> Vec<(u32, String)> {
        tests.iter().map(|(user, name)| (*user, (*name).to_owned())).collect()
    }

    #[test]
    fn users_are_told_apart_by_what_came_before_the_test() {
        let nowhere = Path::new("nowhere");
        // Histories of 7, 5 and 2 interactions; then of 5 and 5, which are one third.
        assert_eq!(
            names_of(&Grouping::Activity, nowhere),
            [
                expected(&[(0, "most active"), (2, "middling"), (3, "least active")]),
                expected(&[(1, "most active"), (3, "most active")]),
            ]
        );
        assert_eq!(
            names_of(&Grouping::Tenure, nowhere),
            [
                expected(&[(0, "since the stage before"), (2, "since the stage before"), (3, "new")]),
                expected(&[(1, "long-standing"), (3, "since the stage before")]),
            ]
        );
        assert_eq!(
            names_of(&Grouping::Taste, nowhere),
            [expected(&[(0, "mainstream"), (2, "mixed"), (3, "niche")]), expected(&[(1, "mainstream"), (3, "mixed")]),]
        );
    }

    #[test]
    fn a_column_makes_groups_and_users_without_a_value_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("users.csv"), "age,user_id,gender\n31,u0,f\n44,u1,m\n20,u2,f\n,u3,\n")
            .unwrap();
        let column = |column: &str| Grouping::Column { file: "users.csv".into(), column: column.to_owned() };
        let found = names_of(&column("gender"), folder.path());
        assert_eq!(found, [expected(&[(0, "f"), (2, "f")]), expected(&[(1, "m")])]);
        let groups = UserGroups::of(&dataset(), Protocol::SameBlock, &column("gender"), folder.path()).unwrap();
        assert_eq!(groups.unknown, 2);
        let error = UserGroups::of(&dataset(), Protocol::SameBlock, &column("size"), folder.path()).unwrap_err();
        assert!(
            error.to_string().contains("no column \"size\" at line 1; the columns are age, user_id, gender"),
            "{error}"
        );
        std::fs::write(folder.path().join("other.csv"), "user_id,gender\nx,f\n").unwrap();
        let other = Grouping::Column { file: "other.csv".into(), column: "gender".to_owned() };
        let error = UserGroups::of(&dataset(), Protocol::SameBlock, &other, folder.path()).unwrap_err();
        assert!(error.to_string().contains("knows none of the users"), "{error}");
        for outside in [folder.path().join("users.csv"), "../users.csv".into()] {
            let outside = Grouping::Column { file: outside, column: "gender".to_owned() };
            let error = UserGroups::of(&dataset(), Protocol::SameBlock, &outside, folder.path()).unwrap_err();
            assert!(error.to_string().contains("outside the project's folder"), "{error}");
        }
    }

    #[test]
    fn many_numbers_become_thirds_and_rare_words_one_group() {
        let numbers: Vec<String> = (0..30).map(|number| number.to_string()).collect();
        let values: Vec<Option<&String>> = numbers.iter().map(Some).chain([None]).collect();
        let (names, groups) = groups_of(&values).unwrap();
        assert_eq!(names, ["20 to 29", "10 to 19", "0 to 9"]);
        assert_eq!([groups[0], groups[15], groups[29], groups[30]], [Some(2), Some(1), Some(0), None]);
        let words: Vec<String> = (0..30).map(|number| format!("w{number}")).collect();
        assert!(groups_of(&words.iter().map(Some).collect::<Vec<_>>()).is_none());
        let many = words.iter().chain(std::iter::repeat_n(&words[7], 40)).map(Some).collect::<Vec<_>>();
        let (names, groups) = groups_of(&many).unwrap();
        assert_eq!((names.len(), names[11].as_str()), (12, "other (19)"));
        assert_eq!([names[groups[7].unwrap()].as_str(), names[groups[60].unwrap()].as_str()], ["w7", "w7"]);
        assert_eq!(groups.iter().filter(|group| **group == Some(11)).count(), 19);
    }

    #[test]
    fn a_grouping_is_read_as_it_is_written() {
        for text in ["activity", "tenure", "taste", "users.csv:gender", "C:/data/users.tsv:age"] {
            assert_eq!(text.parse::<Grouping>().unwrap().to_string(), text);
        }
        assert!("gender".parse::<Grouping>().unwrap_err().contains("users.csv:gender"));
    }
}
