/** The tag of alerts that only count duplicates of others. A channel that pages people need not page them for these. */
export const repeatsTag = "held back"
