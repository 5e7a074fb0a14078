export interface PlotLine {
  readonly name: string;
  /** In order of x. All values are above zero, because both axes are logarithmic. */
  readonly points: readonly Point[];
  /** Draws the line dashed, in the colour of the line before it, with which it is compared. */
  readonly isDashed?: boolean;
}

export type Point = readonly [x: number, y: number];

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly PlotLine[];
}

const WIDTH = 720;
const HEIGHT = 380;
const LEFT = 72;
const RIGHT = WIDTH - 190;
const TOP = 48;
const BOTTOM = HEIGHT - 56;
const LABEL_GAP = 17;
/** Readable on white and on near-black, because the plot has no background. */
const COLORS = ['#2f81d6', '#d9662b', '#2f9e5f', '#a45fc4', '#b8860b', '#c2456b'];
const INK = '#7d8590';
const STEPS = [1, 2, 5];

/** The plot as SVG text. Lines have their names at their right ends. */
export function svgPlot({ title, xLabel, yLabel, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const xs = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const ys = logTicks(points.map(([, y]) => y));
  const x = logScale(xs[0]!, xs.at(-1)!, LEFT, RIGHT);
  const y = logScale(ys[0]!, ys.at(-1)!, BOTTOM, TOP);
  const labelYs = spread(lines.map((line) => y(line.points.at(-1)![1])));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="13" fill="${INK}">`,
    `<title>${escaped(title)}</title>`,
    text(LEFT, 22, title, 'font-size="16" font-weight="600"'),
    ...ys.map((tick) => rule(y(tick)) + text(LEFT - 8, y(tick) + 4, shortNumber(tick), 'text-anchor="end"')),
    ...xs.map((tick) => mark(x(tick)) + text(x(tick), BOTTOM + 20, shortNumber(tick), 'text-anchor="middle"')),
    text((LEFT + RIGHT) / 2, HEIGHT - 12, xLabel, 'text-anchor="middle"'),
    text(0, 0, yLabel, `text-anchor="middle" transform="translate(18 ${(TOP + BOTTOM) / 2}) rotate(-90)"`),
    ...lines.map((line, i) => drawLine(line, colorOf(lines, i), x, y, labelYs[i]!)),
    '</svg>\n',
  ].join('\n');
}

/** Round numbers that enclose the values: 1, 2 and 5 times the powers of ten, or only the powers over more than two of them. */
export function logTicks(values: readonly number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)));
  const steps = high - low > 2 ? [1] : STEPS;
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => low + i).flatMap((power) =>
    steps.map((step) => Number(`${step}e${power}`)),
  );
  const first = ticks.findLastIndex((tick) => tick <= Math.min(...values));
  const last = ticks.findIndex((tick) => tick >= Math.max(...values));
  return ticks.slice(Math.max(0, Math.min(first, last - 1)), Math.max(last, first + 1) + 1);
}

/** A number with at most three digits: `1.5 k`, `20 M`. */
export function shortNumber(value: number): string {
  const [divisor, unit] = value >= 1e6 ? [1e6, ' M'] : value >= 1e3 ? [1e3, ' k'] : [1, ''];
  return `${Number((value / divisor).toPrecision(3))}${unit}`;
}

/** The places of labels, moved apart where they would overlap. In the order of the input. */
export function spread(places: readonly number[]): number[] {
  const order = places.map((place, i) => ({ place, i })).sort((a, b) => a.place - b.place);
  const moved: number[] = [];
  let free = Number.NEGATIVE_INFINITY;
  for (const { place, i } of order) {
    moved[i] = Math.max(place, free);
    free = moved[i] + LABEL_GAP;
  }
  return moved;
}

function colorOf(lines: readonly PlotLine[], index: number): string {
  const solid = lines.slice(0, index + 1).filter(({ isDashed }) => !isDashed).length;
  return COLORS[Math.max(0, solid - 1) % COLORS.length]!;
}

type Scale = (value: number) => number;

function logScale(low: number, high: number, from: number, to: number): Scale {
  const span = Math.log(high / low) || 1;
  return (value) => Math.round((from + (Math.log(value / low) / span) * (to - from)) * 10) / 10;
}

function drawLine(line: PlotLine, color: string, x: Scale, y: Scale, labelY: number): string {
  const places = line.points.map(([px, py]) => [x(px), y(py)] as const);
  const dashes = line.isDashed ? ' stroke-dasharray="6 4"' : '';
  const path = `<polyline points="${places.map((place) => place.join()).join(' ')}" fill="none" stroke="${color}" stroke-width="2"${dashes}/>`;
  const dots = places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3.5" fill="${color}"/>`).join('');
  const [, last] = line.points.at(-1)!;
  return `${path}${dots}${text(RIGHT + 14, labelY + 4, `${line.name}: ${shortNumber(last)}`, `fill="${color}"`)}`;
}

function rule(y: number): string {
  return `<line x1="${LEFT}" x2="${RIGHT}" y1="${y}" y2="${y}" stroke="${INK}" stroke-opacity="0.25"/>`;
}

function mark(x: number): string {
  return `<line x1="${x}" x2="${x}" y1="${BOTTOM}" y2="${BOTTOM + 5}" stroke="${INK}"/>`;
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
