// Half of the seeds of the simulation; the other half runs beside it.
import { testSeeds } from './seed-suite.ts'

testSeeds(1)
