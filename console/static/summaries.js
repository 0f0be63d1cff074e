// What a summary of the server becomes when another datapoint arrives.

/**
 * Add a datapoint to a summary, which is changed. Returns false where it came late, or where there are too many:
 * then the server has to be asked again.
 */
export function addPoint(summary, values, at, most = 4000) {
  const { at: times, counts, series, width, start } = summary;
  const numbers = Object.entries(values).filter(([, value]) => typeof value === "number");
  const moment = width ? start + Math.floor((at - start) / width) * width : at;
  if (times.length && moment < times.at(-1) || times.length > most) return false;
  if (!width || moment !== times.at(-1)) {
    times.push(moment);
    counts.push(0);
    for (const columns of Object.values(series)) for (const column of Object.values(columns)) column.push(null);
  }
  const last = times.length - 1;
  for (const [name, value] of numbers) {
    const columns = series[name] ??= newColumns(width, times.length);
    if (!width || columns.mean[last] === null) {
      for (const column of Object.values(columns)) column[last] = value;
    } else {
      columns.least[last] = Math.min(columns.least[last], value);
      columns.greatest[last] = Math.max(columns.greatest[last], value);
      columns.mean[last] += (value - columns.mean[last]) / (counts[last] + 1);
    }
  }
  counts[last] += 1;
  return true;
}

function newColumns(width, length) {
  const names = width ? ["least", "mean", "greatest"] : ["mean"];
  return Object.fromEntries(names.map((name) => [name, Array(length).fill(null)]));
}

/** How many datapoints a summary tells of from one time to another. */
export function countBetween({ at, counts, width }, start, end) {
  return counts.reduce((sum, count, index) => at[index] + width > start && at[index] <= end ? sum + count : sum, 0);
}
