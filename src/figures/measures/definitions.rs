//! The definitions themselves, in the words of `docs/concepts`. In labels and texts `{n}` is a number.

use super::{Group, Measure, measure};
use crate::plot::Better::{Higher, Lower};

/// Every metric and measure, in the order of the reference page.
pub static GROUPS: &[Group] = &[
    Group { title: "Ranking", measures: RANKING },
    Group { title: "Continual measures", measures: CONTINUAL },
    Group { title: "Costs", measures: COSTS },
    Group { title: "Comparison", measures: COMPARISON },
    Group { title: "Slices and churn", measures: SLICES },
    Group { title: "Drift of the data", measures: DATA },
    Group { title: "Adapters", measures: ADAPTERS },
    Group { title: "Pull and retention", measures: RETENTION },
    Group { title: "Federated training", measures: FEDERATED },
    Group { title: "Semantic ids", measures: SEMANTIC_IDS },
];

const RANKING: &[Measure] = &[
    measure("hit@{n}_corrected", "Hit@{n}", "Share of tests whose target is among the first {n} items. Where the target shares its semantic id, its place among the items of the id is taken by expectation").better(Higher),
    measure("ndcg@{n}_corrected", "NDCG@{n}", "Mean of 1 / log2(rank + 1) over the tests, 0 where the target is not among the first {n} items. Where the target shares its semantic id, its place among the items of the id is taken by expectation").better(Higher),
    measure("hit@{n}", "Hit@{n}, released count", "Share of tests with any item of the target's semantic id among the first {n} ids: ids are ranked, so that a shared id is one place. Never smaller than Hit@{n}, and equal to it where no ids are shared").better(Higher),
    measure("ndcg@{n}", "NDCG@{n}, released count", "Mean of 1 / log2(rank + 1) over the tests, with the rank of the target's semantic id among the first {n} ids: a shared id is one place. Never smaller than NDCG@{n}, and equal to it where no ids are shared").better(Higher),
    measure("invalid_rate", "Invalid rate", "Share of generated semantic ids that no item has; 0 where generation follows the trie of ids").better(Lower).also(&["Invalid"]),
];

const CONTINUAL: &[Measure] = &[
    measure("plasticity", "Plasticity", "Mean over the stages j of R[j, j]: how well each stage is learned when it is new").better(Higher),
    measure("stability", "Stability", "Mean over the stages j before the last of R[T, j]: how well earlier stages are served in the end").better(Higher),
    measure("average_accuracy", "Average", "Mean over all stages j of R[T, j]: how well all stages are served in the end").better(Higher),
    measure("backward_transfer", "Backward", "Backward transfer: mean over j < T of R[T, j] − R[j, j]. Below 0 where later stages did harm").better(Higher),
    measure("forward_transfer", "Forward", "Forward transfer: mean over j > 1 of R[j − 1, j] less the metric of the untrained model on stage j, which is what earlier stages did for one that is still to come").better(Higher),
    measure("forgetting", "Forgetting", "Mean over j < T of the largest R[i, j] of any stage i, less R[T, j]. Never below 0").better(Lower),
];

const COSTS: &[Measure] = &[
    measure("train_seconds", "Train time", "Wall time of training stages: the method's own look at the data, steps, validation and checkpoints. Stage 1, which the methods share, counts in each; the base model, loading, pauses and waiting for other runs do not").unit("s").better(Lower).also(&["Train", "Training time of a stage"]),
    measure("eval_seconds", "Evaluation time", "Wall time of evaluation").unit("s").better(Lower).also(&["Evaluate"]),
    measure("train_examples_per_s", "Examples/s", "Training targets a second of the optimiser's steps alone, without validation, checkpoints, pauses and the base model; mean over the stages that train").better(Higher),
    measure("peak_memory_bytes", "Peak memory", "The most memory of the process in any stage; read on Linux alone, and without the GPU's own").unit("bytes").better(Lower).also(&["Memory"]),
    measure("trainable_parameters", "Trainable parameters", "Parameters that training changes").better(Lower).also(&["Trainable", "Parameters"]),
    measure("stored_bytes", "Stored a stage", "Size of what a stage leaves on disk: its adapter and the trained token rows; the largest of any stage").unit("bytes").better(Lower),
    measure("validation_loss", "Validation loss", "Cross-entropy on validation targets of the epochs that were kept, mean over the stages from 2 on").unit("nats a response token").better(Lower).also(&["Validation"]),
    measure("loss", "Loss", "Cross-entropy of the training targets, mean over response tokens; in semantic ids, what the autoencoder minimises").better(Lower),
];

const COMPARISON: &[Measure] = &[
    measure("gain", "Gain", "Difference to the baseline on the same test users, stages and seeds: mean over seeds of the mean over stages of each stage's mean over its users").better(Higher),
    measure("relative", "Relative gain", "The gain as a share of the baseline's value, which is taken as given").unit("%").better(Higher).also(&["Gain, %", "Relative"]),
    measure("gap", "Gap between groups", "Mean of the group of users that is served best less that of the one that is served worst, of the groups with 20 tests or more; 0 where all are served alike").better(Lower),
    measure("interval", "Interval", "95 % interval. Of a gain it is t-based, from the variance of users and of seeds, and beside a corrected p-value it is corrected by the same factor; of a slice it is a bootstrap over users and seeds"),
    measure("p_value", "p", "Chance of a gain at least as far from 0 if the two were equal: the interval inverted").better(Lower).also(&["p-value"]),
    measure("p_corrected", "p, Holm", "The p-value corrected by Holm's step-down procedure for the number of lines compared: at most 0.05 keeps the chance of any false claim in the table at 5 %").better(Lower).also(&["p corrected"]),
    measure("verdict", "Verdict", "Whether the gain may be called one: significant where the corrected p-value is at most 0.05 and at least two seeds differ"),
    measure("users_needed", "Users for it", "Test cases that would show a gain of the observed size with 80 % chance in a two-sided test at 0.05, with the same seeds").better(Lower),
    measure("seeds_needed", "Seeds for it", "Seeds that would show a gain of the observed size with 80 % chance in a two-sided test at 0.05, with the same users").better(Lower),
    measure("mcnemar", "McNemar", "Test on the users whom only one of two methods hits, one seed at a time: exact binomial where they are few, else chi-square with continuity correction"),
];

const SLICES: &[Measure] = &[
    measure("slice_mean", "Mean", "Mean over the tests of a slice in the stages from 2 on, each weighing the same"),
    measure("range", "Range", "The largest mean of a slice less the smallest, of slices with at least 20 tests").better(Lower).also(&["Apart"]),
    measure("standard_deviation", "Deviation", "Standard deviation of the slices' means, of slices with at least 20 tests").better(Lower),
    measure("agreement", "1 − rank-biased overlap", "How far a list of ten changed from the model before to the newest, asked the same tests: 1 less the rank-biased overlap (Webber, Moffat and Zobel 2010, persistence 0.9), in which upper places weigh more").also(&["Change, 0 to 1"]),
    measure("overlap", "New items of the top {n}", "Share of the first {n} items that were not in the list of the model before"),
];

const DATA: &[Measure] = &[
    measure("item_divergence", "Item popularity, divergence", "Jensen-Shannon divergence, in bits, between the shares of interactions that items have in this stage and in the one before: 0 for equal popularity, 1 where no item is in both").also(&["items by popularity"]),
    measure("code_divergence", "Codes of level {n}, divergence", "Jensen-Shannon divergence, in bits, between the shares of interactions that the codes of this level have in this stage and in the one before: 0 for equal use, 1 where no code is in both"),
    measure("top_overlap", "Top {n} items in common", "Share of the most popular items of this stage that are among the most popular of the stage before too; fewer items are compared where a stage has fewer"),
    measure("new_user_share", "New users", "Share of the stage's users who are in no stage before; in counts, their number"),
    measure("new_item_share", "New items", "Share of the stage's items that are in no stage before; in counts, their number"),
    measure("new_item_interactions", "Interactions with new items", "Share of the stage's interactions that are with items of no stage before").also(&["new items, of interactions"]),
    measure("mean_distance", "Users' move, distance", "Mean distance between the centroids of a user's items in this stage and in the one before, over users in both. Items are placed by the words of their titles, at length 1"),
    measure("mean_cosine_distance", "Users' move, 1 − cosine", "Mean of one minus the cosine between the centroids of a user's items in this stage and in the one before, over users in both. Items are placed by the words of their titles"),
    measure("common_distance", "Users' common move", "Distance between the means of all centroids in this stage and in the one before: the part of the users' moves that they have in common"),
    measure("share_or_divergence", "Share or divergence", "Each line in its own measure; all of them lie between 0 and 1 but distances"),
    measure("stages", "Stages", "Consecutive parts of the interactions in the order of time: stage 1 trains the base model, and the adapter goes on from stage to stage"),
    measure("interactions", "Interactions", "Interactions of users with items"),
    measure("interaction_share", "Share of all interactions", "Interactions with the item, or with the items below a code, as a share of those of all stages").unit("%"),
    measure("items", "Items", "Different items of the catalogue, which is the same in all stages"),
    measure("distinct_ids", "Distinct semantic ids", "Different semantic ids of the catalogue: fewer than items where several items share one").also(&["Distinct ids"]),
    measure("first_interaction", "First interaction", "Date of the stage's first interaction (UTC)"),
    measure("last_interaction", "Last interaction", "Date of the stage's last interaction (UTC)"),
    measure("users", "Users", "Users of a stage; of slices and churn, their tests"),
    measure("participants", "Take part", "Users with at least 3 interactions in the stage: the last is tested, the one before it validates, the others train"),
    measure("returning_users", "Returning users", "Users of the stage who were seen before, and not only long ago"),
    measure("dormant_users", "Dormant users", "Users who were active in stage 1, in none of at least one stage since, and are back"),
    measure("training_examples", "Training targets", "All interactions of those who take part in the stage but their last two"),
    measure("test_targets", "Test targets", "Items to be found, one a test user"),
    measure("next_block_targets", "Next-block tests", "Tests of the next-block protocol: the first interaction of each user in the stage, asked of the models after the stages before; with warm targets, and with cold ones"),
    measure("warm", "Warm targets", "Test targets whose item is in a stage before"),
    measure("cold", "Cold targets", "Test targets whose item is in no stage before"),
];

const ADAPTERS: &[Measure] = &[
    measure("norm", "‖ΔW‖", "Frobenius norm of the update α/r · B·A that predicts after the stage, with past adapters that the method adds").also(&["ΔW", "‖ΔW′‖"]),
    measure("moved", "Move of ΔW", "Frobenius norm of the update's change since the stage before, ‖ΔW_t − ΔW_{t−1}‖: how far the update of the weight moved in the stage").also(&["Moved"]),
    measure("moved_share", "Move of ΔW, relative", "The update's change since the stage before as a part of what the update was, ‖ΔW_t − ΔW_{t−1}‖ / ‖ΔW_{t−1}‖: 1 is a move as long as the update itself").also(&["of ‖ΔW‖ before", "of norm before"]),
    measure("parameters", "Move of A and B", "Length of the change of the adapter's A and B since the stage before, ‖v_t − v_{t−1}‖: how far what is trained moved. A pull acts on this").also(&["Adapter"]),
    measure("inside_left", "Inside left", "Share of the change's energy that writes into the column space of the update before, ‖U Uᵀ D‖² / ‖D‖²; in brackets the share of a random change"),
    measure("inside_right", "Inside right", "Share of the change's energy that reads from the row space of the update before, ‖D V Vᵀ‖² / ‖D‖²; in brackets the share of a random change"),
    measure("outside", "Move outside the subspace", "Share of the change's energy that lies outside of what the update wrote before"),
    measure("adapter_parameters", "Adapter parameters", "Numbers in A and B of all modules that have an adapter").better(Lower),
    measure("rank_loss", "Loss on validation users", "Cross-entropy of stage 1's validation users under the base model with the adapter").unit("nats a response token").better(Lower),
    measure("rank", "Rank", "Directions that a module's adapter has: rows of A and columns of B; 0 where it has none"),
    measure("effective_rank", "Effective rank", "How many directions the update has in effect: e to the entropy of its singular values as shares of their sum (Roy and Vetterli 2007)"),
    measure("angle", "Angle", "Principal angle between the subspaces of two updates, from the smallest: 0 is a common direction, 90° an orthogonal one").unit("°"),
    measure("grassmann", "Grassmann distance", "Root of the sum of the squared principal angles between two subspaces, √Σθ²: 0 is the same space. Left compares column spaces, what updates write; right row spaces, what they read").unit("rad").also(&["Distance left", "Distance right"]),
    measure("singular_value", "Singular value", "How much the update stretches along one of its directions, from the largest").also(&["Singular values"]),
    measure("cosine", "Cosine", "Cosine of the angle between two directions, or two updates as vectors; which direction continues which is the one-to-one assignment with the largest sum of absolute cosines"),
    measure("overlap_of_spaces", "Overlap left", "Mean squared cosine of the principal angles of two subspaces; in brackets what random subspaces have").better(Higher).also(&["Overlap right", "Overlap"]),
    measure("difference", "‖ΔW−ΔW′‖", "Frobenius norm of the difference of two runs' updates"),
    measure("conflict", "Conflict", "How far the first descent step of a stage would undo what the last stage did to a module's A or B: −⟨d, u⟩ / (‖d‖ ‖u‖) of the step d and the movement u where they point against each other, else 0. 1 leads straight back"),
    measure("rows", "Rows", "Trained rows of the embedding or the output layer, one a code of the semantic ids").also(&["Token rows"]),
    measure("rows_norm", "Norm", "Frobenius norm of the trained rows"),
    measure("mean_row", "Mean row", "Mean over the rows of the length of a row's change since the stage before"),
    measure("largest_row", "Largest row", "The longest change of a row since the stage before"),
    measure("moved_since_first", "Since stage 1", "Frobenius norm of the rows' change since stage 1"),
];

const RETENTION: &[Measure] = &[
    measure("penalty", "Penalty", "The proximal term, lambda included: what is added to the cross-entropy for the adapter's distance from the state that pulls").unit("nats"),
    measure("pull_ratio", "Pull ratio", "‖λ ∇penalty‖ / ‖∇cross-entropy‖ on the adapter's parameters: whether the penalty acts at all"),
    measure("lambda_eff", "lambda_eff", "Strength of the L2 penalty that pulls a group of parameters as the softmax divergence does to second order: λ / n of a group of n values"),
    measure("rho", "rho", "Curvature of the stage's loss along a direction in the metric of the penalty: Σ q = ρ H q"),
    measure("predicted", "Predicted", "Share of the way from where the data alone leads back to the past that the theory keeps along a direction: λ / (ρ + λ)").also(&["Predicted, λ / (ρ + λ)"]),
    measure("measured", "Measured", "Share of the way from where the data alone leads back to the past that the run kept along a direction: 0 is all that the data wants, 1 is no move"),
    measure("weight", "Weight", "Share of the squared movement that lies along a direction"),
    measure("predicted_rise", "Quadratic rise", "How much the loss should rise from where the data alone leads back to the adapter before the stage, by the quadratic model of the loss").unit("nats"),
];

const FEDERATED: &[Measure] = &[
    measure("round_loss", "Validation loss after the round", "Cross-entropy of the server's state on validation targets after a round, mean over response tokens").unit("nats").better(Lower),
    measure("epsilon", "Privacy loss ε", "The ε of (ε, δ)-differential privacy towards one client, of all rounds so far: Rényi accounting of the Poisson-subsampled Gaussian mechanism").better(Lower),
    measure("traffic", "Sent so far", "What server and clients sent each other in all rounds so far: float32 numbers of what is trained, and once what a client's terms pull toward").unit("MB").better(Lower),
];

const SEMANTIC_IDS: &[Measure] = &[
    measure("reconstruction", "Reconstruction", "Mean squared error of the vectors that the codes give back")
        .better(Lower)
        .also(&["Squared error"]),
    measure(
        "quantisation",
        "Quantisation",
        "Distance of the residuals from their codes, the second part of what the autoencoder minimises",
    )
    .better(Lower),
    measure(
        "collisions_before",
        "As trained",
        "Items that share an id as the clustering left them, before any is moved",
    ),
    measure(
        "collisions_spread",
        "Spread",
        "Items that share an id after the rounds in which every group that shares one is spread over the codes of the last level, at most 20",
    ),
    measure(
        "collisions_after",
        "At last",
        "Items that share an id in the end. An item that still shared one was given the nearest free code of the last level, or the nearest free pair of the last two",
    ),
    measure("used", "Codes used", "Codes of a level that some item has")
        .better(Higher)
        .also(&["Codes used, level {n}"]),
    measure("dead", "Dead codes", "Codes of a level that no item has").better(Lower),
    measure(
        "perplexity",
        "Perplexity",
        "How many codes of a level would be in use if all were used alike: e to the entropy of their use",
    )
    .better(Higher)
    .also(&["Used as if so many were used alike"]),
    measure("collisions", "Items that share an id", "Share of the items whose semantic id another item has too")
        .better(Lower),
    measure("category", "Category predictability", "How often the codes so far tell an item's category")
        .better(Higher)
        .also(&["Category predictability by the codes so far"]),
    measure(
        "category_baseline",
        "The most frequent category",
        "Share of the items of the most frequent category: what category predictability is held against",
    ),
    measure("ids_moved", "Ids moved", "Share of the items that were there before a stage whose semantic id is another one after it").better(Lower),
    measure("code_kept", "First code kept", "Share of the items that were there before a stage whose first code is the same after it")
        .better(Higher),
    measure(
        "explained",
        "Explained",
        "Share of the variance of the items' vectors that their semantic ids tell; of a refresh, of vectors that are made anew too",
    )
    .better(Higher),
    measure(
        "old_model",
        "Old model",
        "Mean log-likelihood of a stage's tests under the ids after it, by counts of which codes followed which in the stages before, made under the ids before it",
    )
    .unit("nats")
    .better(Higher),
    measure(
        "new_model",
        "Fitted anew",
        "The same, by counts of the same interactions made under the ids after the stage: how well these ids suit prediction, whatever the old ones were",
    )
    .unit("nats")
    .better(Higher),
    measure(
        "cost",
        "Cost of the move",
        "What a model that knows the ids before a stage loses an item under those after it: fitted anew less old model. 0 where no id moves",
    )
    .unit("nats")
    .better(Lower),
    measure("agreement_of_sources", "Agreement", "Of an item's 10 nearest items by one source of vectors and by another: those that both name, of all that either names. 1 where both name the same"),
    measure("agreement_by_chance", "Agreement by chance", "The agreement of two sources that have nothing to do with each other: both name items at random"),
    measure("beyond_chance", "Beyond chance", "Share of the items whose sources have more neighbours in common than 99 of 100 would by chance").better(Higher),
    measure("neighbours_in_common", "Neighbours in common", "How many of an item's 10 nearest items by one source of vectors are among the 10 nearest by another"),
    measure("items_share", "Share of the items", "Items of that kind, of all that were looked at").unit("%"),
    measure("alignment", "Alignment", "Linear centred kernel alignment (CKA) of two sources: whether they tell items apart in the same proportions, however they are turned and scaled. 1 where they do"),
    measure("alignment_by_chance", "Alignment by chance", "Mean of the alignment over all ways to give one source's vectors to other items"),
    measure("first_code_changed", "First code changed", "Share of the items whose first code is another one, or for an item whether it is (1) or not (0), when first codes are renamed so that most items keep theirs"),
    measure("rand_index", "Adjusted Rand index", "How alike two ways to group the items are, by pairs that are together in both: 1 for the same groups, 0 on average for groups that have nothing to do with each other").better(Higher),
    measure("companions_kept", "Companions kept", "Of the items that share an item's codes before or after, those that do before and after; mean over the items").better(Higher),
    measure("share", "Share", "Each line in its own measure, as a share").unit("%"),
];
