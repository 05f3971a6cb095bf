/**
 * A line chart as SVG text: axes, grid, legend. Colours follow the reader's scheme, light or dark;
 * lines differ in their dashes and marks, too, for who does not see the colours.
 */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** At most as many as there are styles. */
  readonly series: readonly Series[];
  /** Values of x that are written below the axis. */
  readonly xTicks: readonly number[];
}

const WIDTH = 760;
const HEIGHT = 460;
const PLOT = { left: 84, right: 736, top: 52, bottom: 388 } as const;
/** Lines of the grid, about. */
const Y_STEPS = 6;

/** How a line looks: its class gives the colour. */
const STYLES = [
  { dash: '9 4', mark: '<path d="M-4 4h8L0-4z"/>' },
  { dash: '2 4', mark: '<rect x="-3.5" y="-3.5" width="7" height="7"/>' },
  { dash: '12 3 2 3', mark: '<path d="M0-5 5 0 0 5-5 0z"/>' },
  { dash: '5 2', mark: '<path d="M-4-3h8L0 5z"/>' },
  { dash: 'none', mark: '<circle r="3.5"/>' },
] as const;

const CSS = `
  .paper { fill: #ffffff } text { fill: #24292f; font: 13px system-ui, sans-serif }
  .title { font-size: 16px; font-weight: 600 } .grid { stroke: #d8dee4 } .axis { stroke: #57606a }
  .line { fill: none; stroke-width: 2 }
  .s0 { stroke: #9a6700 } .s1 { stroke: #cf222e } .s2 { stroke: #0969da } .s3 { stroke: #8250df }
  .m0 { fill: #9a6700 } .m1 { fill: #cf222e } .m2 { fill: #0969da } .m3 { fill: #8250df }
  .s4 { stroke: #1a7f37 } .m4 { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } text { fill: #e6edf3 }
    .grid { stroke: #30363d } .axis { stroke: #8d96a0 }
    .s0 { stroke: #d29922 } .s1 { stroke: #ff7b72 } .s2 { stroke: #79c0ff } .s3 { stroke: #d2a8ff }
    .m0 { fill: #d29922 } .m1 { fill: #ff7b72 } .m2 { fill: #79c0ff } .m3 { fill: #d2a8ff }
    .s4 { stroke: #56d364 } .m4 { fill: #56d364 }
  }`;

/** Draw a chart. The same chart is the same text. */
export function drawLineChart(chart: LineChart): string {
  const { title, xLabel, yLabel, series, xTicks } = chart;
  if (series.length > STYLES.length) throw new RangeError('more lines than there are styles');
  const points = series.flatMap((each) => each.points);
  const xs = [...points.map(([x]) => x), ...xTicks];
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const step = roundStep(Math.max(...points.map(([, y]) => y)) / Y_STEPS);
  const top = step * Math.ceil(Math.max(...points.map(([, y]) => y)) / step);
  const place: Place = ([x, y]) => [
    PLOT.left + ((x - least) / (most - least)) * (PLOT.right - PLOT.left),
    PLOT.bottom - (y / top) * (PLOT.bottom - PLOT.top),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${CSS}\n</style>`,
    `<rect class="paper" width="${WIDTH}" height="${HEIGHT}"/>`,
    `<text class="title" x="${PLOT.left}" y="30">${escapeText(title)}</text>`,
    ...yAxis(step, top, place),
    ...xTicks.map((tick) => {
      const [x] = place([tick, 0]);
      return `<text x="${round(x)}" y="${PLOT.bottom + 20}" text-anchor="middle">${tick}</text>`;
    }),
    `<path class="axis" fill="none" d="M${PLOT.left} ${PLOT.top}V${PLOT.bottom}H${PLOT.right}"/>`,
    `<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 42}" text-anchor="middle">` +
      `${escapeText(xLabel)}</text>`,
    `<text transform="translate(20 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" ` +
      `text-anchor="middle">${escapeText(yLabel)}</text>`,
    ...series.flatMap((each, index) => [...line(each, index, place), ...legend(each, index)]),
    '</svg>\n',
  ].join('\n');
}

type Place = (point: readonly [number, number]) => [number, number];

function yAxis(step: number, top: number, place: Place): string[] {
  const lines: string[] = [];
  for (let value = 0; value <= top; value += step) {
    const y = round(place([0, value])[1]);
    lines.push(`<path class="grid" d="M${PLOT.left} ${y}H${PLOT.right}"/>`);
    const label = value.toLocaleString('en-US');
    lines.push(`<text x="${PLOT.left - 8}" y="${y + 4}" text-anchor="end">${label}</text>`);
  }
  return lines;
}

function line({ points }: Series, index: number, place: Place): string[] {
  const { dash, mark } = STYLES[index]!;
  const places = points.map((point) => place(point).map(round));
  return [
    `<path class="line s${index}" stroke-dasharray="${dash}" d="M${places.join('L')}"/>`,
    ...places.map(([x, y]) => `<g class="m${index}" transform="translate(${x} ${y})">${mark}</g>`),
  ];
}

function legend({ name }: Series, index: number): string[] {
  const { dash, mark } = STYLES[index]!;
  const [x, y] = [PLOT.left + 20, PLOT.top + 18 + 22 * index];
  return [
    `<path class="line s${index}" stroke-dasharray="${dash}" d="M${x} ${y}h40"/>`,
    `<g class="m${index}" transform="translate(${x + 20} ${y})">${mark}</g>`,
    `<text x="${x + 50}" y="${y + 4}">${escapeText(name)}</text>`,
  ];
}

/** 1, 2 or 5 times a power of ten, and not less than `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((times) => times * power >= least) ?? 10);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
