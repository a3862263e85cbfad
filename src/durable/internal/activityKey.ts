/** Names one attempt of an activity of a run. */
export const activityKey = (name: string, attempt: number): string => `${name}/${attempt}`
