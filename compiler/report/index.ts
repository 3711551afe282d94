/** A build as one HTML page that opens from disk: the same build, the same bytes. */
import {type Html, html} from '../page/html.js';
import {page, section} from '../page/page.js';
import {contendersOf} from './contenders.js';
import {drawingOf} from './drawing.js';
import {contents, heading} from './heading.js';
import {measuresOf} from './measures.js';
import {memorySection} from './memory.js';
import {type Facts, readFacts} from './read.js';
import {shapeDefinitions, tonesOf} from './shapes.js';
import {taskSection} from './task.js';
import {trunksOf} from './trunks.js';

/** Characters that all tables of layers, and all maps of memory, may take: so a page stays below three megabytes. */
const rooms = {layers: 1_000_000, memory: 500_000};
/** Points that a variant may lose and be praised, where no catalog said so. */
const usualLoss = 1;

/** The report on the build in a folder. Errors: those of `readFacts`. */
export const report = async (directory: string): Promise<string> => reportOf(readFacts(directory));

export async function reportOf({manifest, log, ir}: Facts): Promise<string> {
  const contenders = contendersOf(manifest, log.catalog);
  const tones = tonesOf(contenders);
  const measures = measuresOf(manifest);
  const names = Object.keys(manifest.tasks);
  const sections = [
    ...names.map((task, at) => ({
      ...{id: `task-${at + 1}`, title: task, says: null},
      content: taskSection({
        ...{task, measures, tones, recipes: log.recipes},
        contenders: contenders.filter(contender => contender.task === task),
        maxLoss: log.catalog?.maxLoss ?? usualLoss,
        room: rooms.layers / names.length,
      }),
    })),
    {
      ...{id: 'shared', title: 'What is shared'},
      says: 'A row is a way from the inputs to an answer. What several variants compute is one block over their rows; the wider, the dearer.',
      content: trunksOf(manifest),
    },
    {
      ...{id: 'memory', title: 'Memory'},
      says: 'The arena while a variant runs: each buffer at its place, from the first step that touches it to the last. Dashed: the most that is alive at one step; no plan can do with less.',
      content: 'module' in ir ? memorySection(manifest, ir.module, rooms.memory) : missingNote(ir.missing),
    },
    {
      ...{id: 'graph', title: 'Graph'},
      says: 'The operations of the tasks as they are, after optimization; the stronger the colour, the more work.',
      content: 'module' in ir ? await drawingOf(ir.module) : missingNote(ir.missing),
    },
  ];
  const body = html`${shapeDefinitions()}${heading(manifest, log)}
${contents(sections)}
${(log.catalog?.notes ?? []).map(note => html`<p class="note">${note}</p>`)}
<main>${sections.map(({id, title, says, content}) => section(title, says, content, id))}</main>
<div id="tip" role="tooltip" hidden></div>`;
  return page({title: `${manifest.name}: report`, style: 'report/report.css', script: 'report/report.js', body});
}

const missingNote = (why: string): Html => html`<p class="note">${why} Build again to have this drawn.</p>`;
