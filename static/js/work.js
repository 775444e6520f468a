/** The work order on a phone: every number is judged while it is typed, every answer kept at once. */

import "./measure.js";
import "./sign.js";
import { startAnswers } from "./answers.js";
import { startSteps } from "./steps.js";
import { startTimerView } from "./timer.js";

await startAnswers();
await startSteps();
await startTimerView();
