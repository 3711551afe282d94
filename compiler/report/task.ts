/** A task: how its variants compare, what each of them is, what was tried, and what recipes did to its layers. */
import {type Html, html} from '../page/html.js';
import type {RecipeReport} from '../recipes/report.js';
import {accuracyOf, type Contender, fullAmong, lossOf} from './contenders.js';
import {fitting} from './fitting.js';
import {barIcon, layersOf} from './layers.js';
import type {Measure} from './measures.js';
import {frontAmong, type Point, paretoPlot, pointsOf} from './pareto.js';
import {key, shapeOf, type Tones} from './shapes.js';
import {triedTable} from './tried.js';
import {type Field, variantsTable} from './variants.js';
import {counted, percent, times} from './words.js';

export type TaskFacts = {
  readonly task: string;
  readonly contenders: readonly Contender[];
  readonly measures: readonly Measure[];
  readonly tones: Tones;
  readonly recipes: readonly RecipeReport[];
  /** Percentage points that a variant may lose and still be praised. */
  readonly maxLoss: number;
  /** Characters for the layers. */
  readonly room: number;
};

type Plotted = {readonly measure: Measure; readonly points: readonly Point[]};

export function taskSection({task, contenders, measures, tones, recipes, maxLoss, room}: TaskFacts): Html {
  const plotted = measures
    .filter(({isPlotted}) => isPlotted)
    .map(measure => ({measure, points: pointsOf(contenders, measure)}))
    .filter(({points}) => points.length > 1);
  const best = new Set(plotted.flatMap(({points}) => frontAmong(points)).map(({contender}) => contender));
  const field: Field = {contenders, measures, tones, best};
  const pictures = plotted.length > 0 ? plotsPart(plotted, field) : html`<p class="note">${whyNoPlots(contenders)}</p>`;
  const own = recipes.filter(report => report.task === task);
  return html`${praise(contenders, measures, maxLoss)}${pictures}
${variantsTable(task, field)}
${triedTable(task, field)}
${layersPart(own, best, room)}`;
}

function plotsPart(plotted: readonly Plotted[], {tones, best}: Field): Html {
  const plots = plotted.map(({measure, points}) => paretoPlot(points, measure, tones));
  const shown = [...new Map(plotted.flatMap(({points}) => points).map(point => [point.contender, point])).values()];
  const shapes = new Set(shown.map(({contender}) => shapeOf(contender, best.has(contender))));
  const recipes = shown.map(({contender}) => contender.recipe);
  const others = shown.filter(({isComparable}) => !isComparable).map(({contender}) => contender.recipe);
  const apart = others.length > 0 ? ` Judged on other samples than full, so never on the stair: ${others.join(', ')}.` : '';
  return html`<div class="plots${plots.length === 4 ? ' four' : null}">${plots}</div>${key(shapes, tones, recipes)}
<p class="note">Upright bars: 95% intervals of the accuracy. Flat bars: the 10th to the 90th percentile of times. The stair is the best that a budget buys.${apart}</p>`;
}

function whyNoPlots(contenders: readonly Contender[]): Html {
  if (contenders.length < 2)
    return html`There is one variant, so nothing to compare: <code>dnnc build --recipe</code> adds smaller ones.`;
  return html`No accuracy is known, so nothing is plotted: <code>dnnc build --evaluate DATA</code> measures it.`;
}

/** The quickest variant that loses no more than allowed, in a sentence. */
function praise(contenders: readonly Contender[], measures: readonly Measure[], maxLoss: number): Html | null {
  const full = fullAmong(contenders);
  const [first] = measures;
  if (!full || !first) return null;
  const gain = ({of}: Measure, contender: Contender): number | null => {
    const [before, after] = [of(full), of(contender)];
    return before !== null && after !== null && after > 0 ? before / after : null;
  };
  const good = contenders.flatMap(contender => {
    const [loss, faster] = [lossOf(contender, full.variant ?? undefined), gain(first, contender)];
    if (contender === full || contender.variant === null || !loss || loss.points > maxLoss || faster === null || faster <= 1)
      return [];
    return [{contender, loss, faster}];
  });
  const winner = good.toSorted((a, b) => b.faster - a.faster)[0];
  if (!winner) return null;
  const {contender, loss} = winner;
  const gains = measures
    .filter(({isPlotted}) => isPlotted)
    .flatMap(measure => {
      const factor = gain(measure, contender);
      return factor === null || factor < 1.05 ? [] : [`${times(factor)} less ${gainNoun(measure)}`];
    });
  const accuracy = accuracyOf(contender);
  const lost = loss.points <= 0 ? 'nothing' : `${loss.points.toFixed(2)} points`;
  return html`<p class="praise">Cheapest within ${counted(maxLoss, 'point')} of <b>full</b>: <b>${contender.recipe}</b> loses ${lost}${accuracy ? ` (${percent(accuracy.value)})` : null} and takes ${gains.join(', ')}.</p>`;
}

const gainNoun = ({head}: Measure): string => (head === 'to load' ? 'to load' : head);

/** Those of variants on the front come first. */
function layersPart(reports: readonly RecipeReport[], best: ReadonlySet<Contender>, room: number): Html | null {
  if (reports.length === 0) return null;
  const praised = new Set([...best].map(({recipe}) => recipe));
  const sorted = [...reports.filter(({recipe}) => praised.has(recipe)), ...reports.filter(({recipe}) => !praised.has(recipe))];
  const {drawn, left} = fitting(sorted, layersOf, room);
  const rest =
    left > 0 ? html`<p class="note">${counted(left, 'more recipe')} would make this page large: see build.log.json.</p>` : null;
  return html`<h3>Layer by layer</h3><p class="legend"><span>${barIcon('before')}before</span> <span>${barIcon('after')}after the recipe; bars of a column are on one scale</span></p>${drawn}${rest}`;
}
