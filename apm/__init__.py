"""apm: hospital equipment from the day it arrives to the day it is retired."""
