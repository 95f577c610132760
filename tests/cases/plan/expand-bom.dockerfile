# rule: expand.bom
FROM alpine
ENV a=﻿x b="﻿x" ﻿c=1
COPY ﻿a ﻿/b
COPY <<E /
﻿x
E
