//! The trie of code sequences that belong to items: what constrained decoding may generate.

use super::SemanticIndex;

/// A trie over all items' codes, stored level by level in flat arrays.
///
/// Nodes are numbered breadth first, and so are edges. Edge `e` leads to node `e + 1` therefore; those beyond the last node lead
/// to leaves, in order.
#[derive(Debug, Clone)]
pub struct Trie {
    /// `first_edge[node]..first_edge[node + 1]` are the edges of a node.
    first_edge: Vec<u32>,
    /// Code token of each edge, ascending within a node.
    edge_token: Vec<u32>,
    /// `leaf_items[leaf_first[l]..leaf_first[l + 1]]` are the items that share leaf `l`'s codes.
    leaf_first: Vec<u32>,
    leaf_items: Vec<u32>,
    /// By level: the codes that some item has there, ascending.
    level_codes: Vec<Vec<u32>>,
}

impl Trie {
    /// Builds the trie of all items of an index.
    pub fn new(index: &SemanticIndex) -> Self {
        Self::of(index, 0..index.len() as u32)
    }

    /// Builds the trie of some items of an index, each given once.
    pub fn of(index: &SemanticIndex, items: impl IntoIterator<Item = u32>) -> Self {
        let levels = index.levels;
        let leaf_items = in_order_of_codes(index, items);
        // Read once from all over the index, and in order from here on.
        let rows: Vec<u32> = leaf_items.iter().flat_map(|&item| index.item(item)).copied().collect();
        let shared = shared_with_the_last(&rows, levels);
        let mut first_edge = vec![0];
        let mut edge_token = Vec::new();
        for level in 0..levels {
            for (row, &shared) in rows.chunks_exact(levels).zip(&shared) {
                if usize::from(shared) < level {
                    first_edge.push(edge_token.len() as u32);
                }
                if usize::from(shared) <= level {
                    edge_token.push(row[level]);
                }
            }
        }
        first_edge.push(edge_token.len() as u32);
        let begins = (0..).zip(&shared).filter(|(_, shared)| usize::from(**shared) < levels).map(|(at, _)| at);
        let leaf_first = begins.chain([leaf_items.len() as u32]).collect();
        let level_codes = (0..levels).map(|level| codes_at(&rows, index, level)).collect();
        Self { first_edge, edge_token, leaf_first, leaf_items, level_codes }
    }

    /// The root, from which every item's first code leads on.
    pub const ROOT: u32 = 0;

    /// Number of nodes, leaves not among them.
    pub fn nodes(&self) -> usize {
        self.first_edge.len() - 1
    }

    /// Tokens an item.
    pub fn levels(&self) -> usize {
        self.level_codes.len()
    }

    /// The codes that some item has at a level (from 0), ascending.
    pub fn level_codes(&self, level: usize) -> &[u32] {
        &self.level_codes[level]
    }

    /// The code tokens that may follow at a node, ascending, each with the node (at the last level: leaf) it leads to.
    pub fn edges(&self, node: u32) -> impl ExactSizeIterator<Item = (u32, u32)> + '_ {
        let edges = self.first_edge[node as usize]..self.first_edge[node as usize + 1];
        edges.map(|edge| (self.edge_token[edge as usize], self.target(edge)))
    }

    /// The nodes at which each of a sequence's codes is chosen, as far as items exist.
    pub fn path<'a>(&'a self, codes: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
        let mut node = Some(Self::ROOT);
        codes.iter().map_while(move |&code| {
            let at = node?;
            node = self.next(at, code);
            Some(at)
        })
    }

    /// The items that share a leaf's codes, ascending.
    pub fn leaf(&self, leaf: u32) -> &[u32] {
        &self.leaf_items[self.leaf_first[leaf as usize] as usize..self.leaf_first[leaf as usize + 1] as usize]
    }

    /// Number of distinct ids.
    pub fn leaves(&self) -> usize {
        self.leaf_first.len() - 1
    }

    /// The leaf of a full code sequence, if it belongs to an item.
    pub fn find(&self, codes: &[u32]) -> Option<u32> {
        if codes.len() != self.levels() {
            return None;
        }
        codes.iter().try_fold(Self::ROOT, |node, &code| self.next(node, code))
    }

    /// The node (at the last level: leaf) that a code leads to.
    fn next(&self, node: u32, code: u32) -> Option<u32> {
        let first = self.first_edge[node as usize];
        let tokens = &self.edge_token[first as usize..self.first_edge[node as usize + 1] as usize];
        tokens.binary_search(&code).ok().map(|edge| self.target(first + edge as u32))
    }

    /// The node (at the last level: leaf) that an edge leads to.
    fn target(&self, edge: u32) -> u32 {
        let nodes = self.nodes() as u32;
        if edge + 1 < nodes { edge + 1 } else { edge + 1 - nodes }
    }

    /// Bytes that its arrays take.
    pub fn bytes(&self) -> usize {
        let codes: usize = self.level_codes.iter().map(Vec::len).sum();
        let arrays = [&self.first_edge, &self.edge_token, &self.leaf_first, &self.leaf_items];
        size_of::<u32>() * (codes + arrays.map(Vec::len).iter().sum::<usize>())
    }
}

/// Items by their codes, and by number where these are the same.
fn in_order_of_codes(index: &SemanticIndex, items: impl IntoIterator<Item = u32>) -> Vec<u32> {
    // As many codes as fit are compared as one number; in usual indices these are all.
    let bits = usize::BITS - index.tokens.len().leading_zeros();
    let together = (u64::BITS / bits.max(1)) as usize;
    let key = |item: u32| index.item(item).iter().take(together).fold(0, |key, &code| (key << bits) | u64::from(code));
    let mut keyed: Vec<(u64, u32)> = items.into_iter().map(|item| (key(item), item)).collect();
    let whole = |item: u32| (index.item(item), item);
    keyed.sort_unstable_by(|one, other| one.0.cmp(&other.0).then_with(|| whole(one.1).cmp(&whole(other.1))));
    keyed.into_iter().map(|(_, item)| item).collect()
}

/// Of each row of codes: how many of its first ones are those of the row before.
fn shared_with_the_last(rows: &[u32], levels: usize) -> Vec<u8> {
    let mut last: &[u32] = &[];
    let shared = |row| {
        let same = last.iter().zip(row).take_while(|(last, code)| last == code).count();
        last = row;
        same as u8
    };
    rows.chunks_exact(levels.max(1)).map(shared).collect()
}

/// The distinct codes of rows at a level, ascending.
fn codes_at(rows: &[u32], index: &SemanticIndex, level: usize) -> Vec<u32> {
    let mut occurs = vec![false; index.tokens.len()];
    rows.chunks_exact(index.levels).for_each(|row| occurs[row[level] as usize] = true);
    (0..).zip(occurs).filter(|(_, occurs)| *occurs).map(|(code, _)| code).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trie(levels: usize, numbers: &[u32]) -> (SemanticIndex, Trie) {
        let index = SemanticIndex::from_numbers(levels, numbers);
        let trie = Trie::new(&index);
        (index, trie)
    }

    /// Every leaf that can be reached, with the codes on the way.
    fn walk(trie: &Trie, node: u32, codes: &mut Vec<u32>, found: &mut Vec<(Vec<u32>, u32)>) {
        for (token, target) in trie.edges(node) {
            codes.push(token);
            if codes.len() == trie.levels() {
                found.push((codes.clone(), target));
            } else {
                walk(trie, target, codes, found);
            }
            codes.pop();
        }
    }

    #[test]
    fn one_item_is_one_path() {
        let (index, trie) = trie(4, &[5, 6, 7, 8]);
        assert_eq!((trie.levels(), trie.leaves()), (4, 1));
        assert_eq!(trie.find(index.item(0)), Some(0));
        assert_eq!(trie.leaf(0), [0]);
        assert_eq!(trie.edges(Trie::ROOT).collect::<Vec<_>>(), [(0, 1)]);
    }

    #[test]
    fn items_of_one_id_share_a_leaf_in_ascending_order() {
        let (index, trie) = trie(2, &[3, 1, 0, 0, 3, 1, 3, 0]);
        assert_eq!(trie.leaves(), 3);
        let leaf = trie.find(index.item(0)).unwrap();
        assert_eq!(trie.leaf(leaf), [0, 2]);
        assert_eq!(trie.find(index.item(2)), Some(leaf));
        assert_eq!(trie.leaf(trie.find(index.item(3)).unwrap()), [3]);
    }

    #[test]
    fn what_belongs_to_no_item_is_not_found() {
        let (index, trie) = trie(2, &[0, 0, 1, 1]);
        let [a, b] = [index.item(0), index.item(1)];
        assert_eq!(trie.find(&[a[0], b[1]]), None);
        assert_eq!(trie.find(&a[..1]), None);
        assert_eq!(trie.find(&[a[0], a[1], a[1]]), None);
        assert_eq!(trie.find(&[99, a[1]]), None);
    }

    #[test]
    fn a_trie_of_some_items_has_their_codes_and_leaves_alone() {
        // Items 0 and 2 share an id, 1 shares its first code with them, 3 has codes of its own.
        let index = SemanticIndex::from_numbers(2, &[3, 1, 3, 2, 3, 1, 7, 2]);
        let some = Trie::of(&index, [1, 2]);
        assert_eq!((some.leaves(), some.levels()), (2, 2));
        assert_eq!(some.find(index.item(0)).map(|leaf| some.leaf(leaf)), Some(&[2][..]), "0 is not among them");
        assert_eq!(some.find(index.item(3)), None);
        let [whole, some] = [Trie::new(&index), some].map(|trie| [0, 1].map(|level| trie.level_codes(level).to_vec()));
        assert_eq!(whole.concat(), (0..index.tokens.len() as u32).collect::<Vec<_>>());
        assert_eq!(some, [vec![index.item(1)[0]], vec![index.item(2)[1], index.item(1)[1]]]);
    }

    /// 4 bytes a number: of two items that share a first code, 2 nodes and an end, 3 edges, 2 leaves and an end, 2 items, and 3
    /// codes of levels.
    #[test]
    fn bytes_are_those_of_the_arrays() {
        assert_eq!(trie(2, &[3, 1, 3, 2]).1.bytes(), 4 * (3 + 3 + 3 + 2 + 3));
    }

    #[test]
    fn no_item_is_no_path() {
        let (_, trie) = trie(3, &[]);
        assert_eq!((trie.leaves(), trie.edges(Trie::ROOT).len()), (0, 0));
    }

    proptest! {
        #[test]
        fn packed_codes_order_some_items_as_comparing_does(
            rows in prop::collection::vec((prop::array::uniform26(0u32..2), any::<bool>(), any::<u32>()), 0..120),
        ) {
            let numbers: Vec<[u32; 26]> = rows.iter().map(|row| row.0).collect();
            let index = SemanticIndex::from_numbers(26, numbers.as_flattened());
            // More levels than one number holds. Some of the items, in any order.
            let mut some: Vec<u32> = (0..rows.len() as u32).filter(|&item| rows[item as usize].1).collect();
            some.sort_by_key(|&item| rows[item as usize].2);
            let mut compared = some.clone();
            compared.sort_by_key(|&item| (index.item(item), item));
            prop_assert_eq!(in_order_of_codes(&index, some), compared);
        }

        #[test]
        fn the_paths_are_the_items_and_edges_ascend(rows in prop::collection::vec(prop::array::uniform3(0u32..6), 1..120)) {
            let (index, trie) = trie(3, rows.as_flattened());
            let mut found = Vec::new();
            walk(&trie, Trie::ROOT, &mut Vec::new(), &mut found);
            // Depth first over ascending edges: the paths come sorted, each once, and name the leaves in order.
            prop_assert!(found.is_sorted_by(|one, other| one.0 < other.0));
            prop_assert!(found.iter().map(|(_, leaf)| *leaf).eq(0..trie.leaves() as u32));
            let mut items = Vec::new();
            for (codes, leaf) in &found {
                prop_assert_eq!(trie.find(codes), Some(*leaf));
                prop_assert!(trie.leaf(*leaf).is_sorted());
                prop_assert!(trie.leaf(*leaf).iter().all(|&item| index.item(item) == codes.as_slice()));
                items.extend_from_slice(trie.leaf(*leaf));
            }
            items.sort_unstable();
            prop_assert!(items.into_iter().eq(0..rows.len() as u32));
        }
    }
}
