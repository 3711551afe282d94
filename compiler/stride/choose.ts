/** Which of a network's strides double: those that harm least for what they save, each judged alone. */
import {headOf} from '../../ir/graph.js';
import {macsOf} from '../reconstruct/layers.js';
import type {Studied, StudyOptions} from '../reconstruct/study.js';
import type {Task} from '../tasks.js';
import {type Site, sitesOf} from './sites.js';
import {type Strided, strided} from './study.js';

export type Chosen = {
  /** The least harm for what they save first. */
  readonly sites: readonly Site[];
  /** Of other convolutions, by the names of their results: why their stride stays. */
  readonly reasons: ReadonlyMap<string, string>;
  /** The first of them alone, if there is one. */
  readonly first: Strided | null;
};

/** Sites that save less of all multiply-adds are not looked at; those that alone diverge by more nats do not hold. */
const [leastSaved, mostNats] = [0.03, 0.05];

/** `whole`: the network as it was. */
export async function chooseSites(tasks: readonly Task[], task: Task, whole: Studied, options: StudyOptions): Promise<Chosen> {
  const {module, layers} = whole.network;
  const all = layers.reduce((sum, layer) => sum + macsOf(layer), 0);
  const reasons = new Map<string, string>();
  const tried: {readonly site: Site; readonly made: Strided; readonly price: number}[] = [];
  for (const [name, site] of sitesOf(module, headOf(module, task.name), whole.network)) {
    if (typeof site === 'string') reasons.set(name, site);
    else if (site.saved < leastSaved * all) reasons.set(name, `would save ${percent(site.saved / all)} of the multiply-adds`);
    else {
      const made = await strided(tasks, task, whole, [site], options);
      const {divergence} = made.judgement;
      if (divergence > mostNats) reasons.set(name, `a larger stride moves the scores by ${divergence.toPrecision(2)} nats`);
      else tried.push({site, made, price: divergence / site.saved});
    }
  }
  tried.sort((a, b) => a.price - b.price);
  const sites: Site[] = [];
  const seen = new Set<unknown>();
  for (const {site} of tried) {
    const nodes = [...site.roles.keys()];
    if (nodes.some(node => seen.has(node))) reasons.set(site.layer, 'the image is halved before or behind it already');
    else {
      for (const node of nodes) seen.add(node);
      sites.push(site);
    }
  }
  return {sites, reasons, first: tried[0]?.made ?? null};
}

const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;
