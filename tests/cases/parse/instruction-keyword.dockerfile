# rule: instruction.keyword
from alpine As base
Run	echo lower case
rUN
