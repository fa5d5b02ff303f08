//! What the lists of items and users are drawn from: counted and ordered once, off the window's thread.

use crate::data::interactions::ItemText;
use crate::data::{ByStage, Dataset, ItemTree};

/// A dataset as people look through it.
#[derive(Debug)]
pub(crate) struct Browse {
    /// Interactions of each user, and with each item, by stage.
    pub(crate) users: ByStage,
    pub(crate) items: ByStage,
    pub(crate) tree: ItemTree,
    /// All interactions.
    pub(crate) interactions: u64,
    /// Interactions by stage and by what their users did before.
    pub(crate) by_group: Vec<[u64; 3]>,
    /// Items, the most popular first, and by title; those without one come last.
    pub(crate) by_popularity: Vec<u32>,
    pub(crate) by_title: Vec<u32>,
    /// By item: its place among the most popular, from 1.
    pub(crate) rank: Vec<u32>,
    /// Users, the most active first.
    pub(crate) by_activity: Vec<u32>,
    /// Titles and ids of items in lower case, to be searched.
    pub(crate) searched: Vec<String>,
    /// Categories of items, by item; empty where no file has any.
    pub(crate) categories: Vec<Vec<String>>,
}

impl Browse {
    pub(crate) fn new(dataset: &Dataset, texts: Vec<ItemText>) -> Self {
        let (users, items) = (ByStage::of_users(dataset), ByStage::of_items(dataset));
        let tree = ItemTree::new(dataset, &items);
        let max = |of: &ByStage, count: usize| {
            let mut order: Vec<u32> = (0..count as u32).collect();
            order.sort_by_cached_key(|&index| std::cmp::Reverse(of.total(index)));
            order
        };
        let searched: Vec<String> = dataset
            .items
            .iter()
            .map(|item| format!("{}\n{}", item.title.as_deref().unwrap_or_default(), item.id).to_lowercase())
            .collect();
        let mut by_title: Vec<u32> = (0..dataset.items.len() as u32).collect();
        let untitled = |item: u32| dataset.items[item as usize].title.is_none();
        by_title.sort_by_key(|&item| (untitled(item), searched[item as usize].as_str()));
        let by_popularity = max(&items, dataset.items.len());
        let mut rank = vec![0; by_popularity.len()];
        by_popularity.iter().zip(1..).for_each(|(&item, index)| rank[item as usize] = index);
        let by_group = users.by_group();
        Self {
            interactions: by_group.iter().flatten().sum(),
            by_group,
            by_popularity,
            by_title,
            rank,
            by_activity: max(&users, dataset.users.len()),
            searched,
            categories: texts.into_iter().map(|text| text.categories).collect(),
            users,
            items,
            tree,
        }
    }
}
