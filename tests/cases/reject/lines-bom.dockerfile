# rule: lines.bom
FROM alpine
﻿RUN echo
#~ 1-6 unknown instruction `﻿RUN`
#~ help: remove the character U+FEFF, which cannot be seen
